"""What is done to training images: a whole batch at a time, on the device."""

from snellen.training.augmentation.chain import AUGMENTATIONS, Augmentation, augmentation
from snellen.training.augmentation.views import averaged, test_views

__all__ = ["AUGMENTATIONS", "Augmentation", "augmentation", "averaged", "test_views"]
