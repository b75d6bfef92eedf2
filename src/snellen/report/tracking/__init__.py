"""Pages of trackers: what they show."""
