"""Calculates the best performance of a machine, from data sheets and measured limits."""
