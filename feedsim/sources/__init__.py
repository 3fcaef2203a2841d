"""Where sessions come from: files of several kinds and the synthetic market, behind one protocol."""
