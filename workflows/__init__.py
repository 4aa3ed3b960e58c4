"""The workflows: how an entrant walks and a segment is read, durably. They know the graph and the walk; all else they ask of ports.py."""
