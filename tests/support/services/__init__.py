"""Runs the services that a server may ask or be watched by."""
