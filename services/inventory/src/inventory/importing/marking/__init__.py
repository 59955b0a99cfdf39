"""The file that was sent, with its mistakes in it and without its secrets."""
