"""Pictures of a journey: diagram.py says what is shown, the others where it stands and in which format."""
