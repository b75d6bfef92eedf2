"""Pixels: semantic, boundary and panoptic segmentation."""
