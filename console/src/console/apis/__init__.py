"""The services as a person's caller sees them: with that person's token, and a deadline for each part of a page."""
