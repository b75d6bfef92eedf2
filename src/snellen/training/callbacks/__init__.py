"""What is done at the moments of a training: the protocol, and the callbacks that come along."""
