"""Files to columns, one file a format; never a metric."""
