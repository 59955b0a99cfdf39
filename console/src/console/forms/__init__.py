"""The form of one act: opened, filled in, sent once, and shown again with what is wrong."""
