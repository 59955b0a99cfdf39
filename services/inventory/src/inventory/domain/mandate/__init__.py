"""The mandate: what the directives demand, and the process that carries it out."""
