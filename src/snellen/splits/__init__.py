"""Parts of a data set: how it is split, and what the parts must not share."""
