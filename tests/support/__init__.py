"""What the tests share: clips that they make, a plain reference of the model, a running server."""
