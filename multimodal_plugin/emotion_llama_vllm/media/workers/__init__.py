"""The processes in which clips are decoded, and the clips that were decoded lately."""
