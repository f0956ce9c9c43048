"""The OpenAPI document: what vLLM's and our routes take, answer and show as examples."""
