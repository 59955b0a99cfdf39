"""What stands behind the letter: lists of facilities, cameras, outages, proposals and findings, and how it was made."""
