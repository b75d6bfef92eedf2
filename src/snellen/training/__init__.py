"""Training: from labelled data and a description to a trained, measured network."""
