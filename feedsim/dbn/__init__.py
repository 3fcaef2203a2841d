"""Databento Binary Encoding (DBN): its records as NumPy dtypes, made of the tape's columns, and its files."""
