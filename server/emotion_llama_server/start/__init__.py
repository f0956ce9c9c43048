"""The server's life, from the command's arguments to its exit code."""
