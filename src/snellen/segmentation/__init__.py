"""Evaluation of segmentations: semantic, boundaries, surfaces, panoptic."""
"""Pixels: semantic, boundary and panoptic segmentation."""
