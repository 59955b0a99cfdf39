"""Reading deliveries back from their destinations: the proof that a destination received the picture."""
