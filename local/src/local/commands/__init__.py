"""The commands: run, smoke, setup, clean, and those for a platform that runs already."""
