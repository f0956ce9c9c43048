"""Draws the pictures of the documents, and puts their tables into Chinese."""
