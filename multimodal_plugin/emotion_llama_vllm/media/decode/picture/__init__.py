"""The pictures of a video track, or of a file that is a picture, as a player shows them."""
