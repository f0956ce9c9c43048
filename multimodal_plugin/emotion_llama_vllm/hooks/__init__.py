"""The places where this package hangs on vLLM: registries, environment and processes."""
