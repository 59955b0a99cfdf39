"""What keeps register, streams and work queues together: republishing, lost jobs, restores, measurement."""
