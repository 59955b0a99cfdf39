"""HTTP, a file per noun. Times come in as ISO 8601 (without an offset: Vietnam time) and go out with +07:00."""
