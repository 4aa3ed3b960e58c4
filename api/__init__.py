"""The HTTP facade: parse, call, answer."""
