"""Regression: numbers predicted for samples."""
