"""Makes clips of a drawn face and a spoken sentence, to train and try the demo checkpoint."""
