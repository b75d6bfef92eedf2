"""What is done at fixed moments of a training."""
