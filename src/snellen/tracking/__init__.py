"""Multi-object tracking: how well objects are found, and told apart over time."""
