"""Speaks a sentence so that its sound carries an emotion."""
