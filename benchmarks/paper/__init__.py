"""Arithmetic about what a machine can do at best, from data sheets and measured bounds."""
