"""Draws a face that shows an emotion."""
