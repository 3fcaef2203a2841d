"""What the project promises about speed and memory, measured: `python -m benchmarks [name …]`.

Every figure is taken against its rival or its limit in the same run, since machines and their moods differ.
"""
