"""What the workflows ask for, done with the store and the providers."""
