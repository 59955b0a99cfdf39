"""What cameras and centres have in common: a port, connections, certificates, one fault at a time."""
