"""Clips of a drawn face and a spoken sentence, made to train and try the demo checkpoint."""
