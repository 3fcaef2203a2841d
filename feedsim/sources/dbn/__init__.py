"""DBN files as a source: a file or a folder of them."""
