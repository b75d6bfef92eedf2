"""Evaluation of segmentations: semantic, boundaries, surfaces, panoptic."""
