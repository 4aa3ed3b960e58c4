"""The core: what a journey is and how it is walked. It knows no framework, no clock and no I/O."""
