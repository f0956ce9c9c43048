"""The commands that ask a server: `emotion-llama analyze`, `evaluate` and `bench`."""
