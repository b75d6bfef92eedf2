"""Pretrained networks side by side: quality and frame rate."""
