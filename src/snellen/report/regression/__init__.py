"""Pages of regression: what is kept for them, and what they show."""
