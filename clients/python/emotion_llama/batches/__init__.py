"""Uploads files, and has the requests about many clips answered as one job of the server."""
