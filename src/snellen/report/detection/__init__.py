"""Pages of detectors: what is kept for them, and what they show."""
