"""Measurements of the whole, beside a hand-written workflow of the same path."""
