"""From the bytes of a clip to its pictures and its sound."""
