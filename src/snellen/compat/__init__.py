"""The names of other packages over Snellen's kernels: a script changes one import."""
