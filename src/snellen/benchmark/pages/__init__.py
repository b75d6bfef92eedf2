"""Parts of a benchmark's page."""
