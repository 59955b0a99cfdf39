"""Backup and restore of what a platform keeps: both databases and JetStream, in one folder with checksums."""
