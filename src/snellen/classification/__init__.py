"""Classification: classes of samples, predicted as labels or as scores."""
