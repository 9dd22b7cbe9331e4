"""Whole validators over a faked clock, chain, host, model and disk: one integer seed per world."""
