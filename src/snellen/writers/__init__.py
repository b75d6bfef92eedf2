"""Columns to files, one file a format: the other side of the readers."""
