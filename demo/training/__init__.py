"""Trains the demo checkpoint: the encoders first, then the Llama, then a LoRA on it."""
