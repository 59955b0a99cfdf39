"""HTTP: a file per noun, its schemas beside its routes."""
