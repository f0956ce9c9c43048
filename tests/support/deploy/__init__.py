"""Renders and builds what operators deploy."""
