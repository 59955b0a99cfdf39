"""What moves on a page: its ages, and the stream that says when to load it again."""
