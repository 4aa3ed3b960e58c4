"""Judges journeys: every finding that forbids or should delay a publish. judging.py asks the others, each of which knows one thing."""
