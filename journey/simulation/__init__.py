"""One person, or many, on a virtual clock: simulate.py walks, the others are what it needs; scenarios say what must come of it."""
