"""Measures how well a checkpoint answers about test clips."""
