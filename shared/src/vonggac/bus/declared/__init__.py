"""What is declared once: streams and buckets, users and their permissions, and the documents generated from events."""
