"""Answers the lines of uploaded files as requests that wait for all others."""
