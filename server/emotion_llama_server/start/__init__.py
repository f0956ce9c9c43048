"""What `emotion-llama serve` does before and while vLLM starts."""
