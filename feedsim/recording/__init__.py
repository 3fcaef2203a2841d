"""The format of a recording on disk: Parquet segments, the journal before them and the manifest. Knows no sessions."""
