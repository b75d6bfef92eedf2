"""Pixels: semantic, boundary and panoptic segmentation, and the surfaces of structures."""
