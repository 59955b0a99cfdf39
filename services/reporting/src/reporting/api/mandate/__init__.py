"""The mandate over HTTP: progress, obligations and their calendar, plan against fact, inspections due."""
