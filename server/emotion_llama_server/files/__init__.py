"""Keeps uploaded files for their owners; one copy of equal bytes, named by its digest."""
