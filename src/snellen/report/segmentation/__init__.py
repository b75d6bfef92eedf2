"""Pages of segmentation: what is kept for them, and what they show."""
