"""Centres that pull: who asks, who holds what they ask for, and how what they receive is judged."""
