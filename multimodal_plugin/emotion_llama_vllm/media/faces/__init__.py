"""Finds the face in the pictures of a clip and cuts it out, as the original's face encoders saw it.

It works where clips are decoded: it imports neither torch nor vLLM. Three networks of MediaPipe do
the work (`networks`), and `tracker` follows one face through the pictures.
"""
