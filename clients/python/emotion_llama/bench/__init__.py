"""The load test behind `emotion-llama bench`."""
