"""What is bounded, and how: logins at a device, places at a site network, what callers have asked. Pure."""
