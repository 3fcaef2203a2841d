"""A live gateway as Databento's own clients expect it: text lines up to the start, then one stream of DBN records."""
