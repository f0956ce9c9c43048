"""The commands that ask a server: `emotion-llama analyze` and `emotion-llama evaluate`."""
