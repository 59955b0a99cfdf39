"""Obligations, and what is asked of whoever decides about them."""
