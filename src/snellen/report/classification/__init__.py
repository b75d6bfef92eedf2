"""Pages of classifiers: what is kept for them, and what they show."""
