"""Seeded sample data: small enough to look at, or large enough to measure speed on."""
