"""The embedded stack on loopback, the catchers, and the players of the demonstration."""
