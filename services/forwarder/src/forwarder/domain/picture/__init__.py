"""Whether a camera shows another picture than before, by the weight and the rhythm of what it sends. Pure."""
