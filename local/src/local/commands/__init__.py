"""The commands: run, smoke, setup, clean and the tools for containers."""
