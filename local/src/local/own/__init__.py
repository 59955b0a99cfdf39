"""What a user brings to `make run`: cameras and facilities as CSV, checked before anything starts."""
