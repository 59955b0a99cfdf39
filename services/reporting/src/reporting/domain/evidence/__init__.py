"""What workers say: claims on deliveries, media of cameras, and when each worker watched."""
