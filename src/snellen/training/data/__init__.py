"""Labelled data for training: parts on the device or streamed, in an order that can be redone."""
