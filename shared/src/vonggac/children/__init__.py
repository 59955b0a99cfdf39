"""Child processes for native libraries that read foreign bytes: started with limits, and no more often than paced."""
