"""Pages of panoptic segmentation: what they show."""
