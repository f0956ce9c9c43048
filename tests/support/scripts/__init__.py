"""Runs users' scripts and their jobs in processes of their own."""
