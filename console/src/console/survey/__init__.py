"""The survey on a phone: a page that works without a network, and what it sends when there is one again."""
