"""How the demo checkpoint is trained: encoders first, then the Llama, then a LoRA on it."""
