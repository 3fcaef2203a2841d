"""Servers of other makers, each as good as it can be, for the same bytes at the same times."""
