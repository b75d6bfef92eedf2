"""Splitting labelled data, the same everywhere: hold-out parts and folds."""
