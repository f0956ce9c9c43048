"""Decodes the sound of a clip: each sample at its time, in mono, at 16 kHz."""
