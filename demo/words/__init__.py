"""Writes the sentences of the clips, the questions about them and the right answers."""
