"""Passing a centre on to the worker that holds its camera: what workers know of each other, both ends of the way."""
