"""From the name of a clip to its bytes: only places that the operator allows are read."""
