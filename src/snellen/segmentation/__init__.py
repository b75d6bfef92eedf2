"""Segmentation: classes of pixels."""
