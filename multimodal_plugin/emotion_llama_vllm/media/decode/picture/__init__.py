"""Decodes the pictures of a video track or a picture file, as a player shows them."""
