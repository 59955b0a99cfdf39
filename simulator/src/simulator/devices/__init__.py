"""What cameras and centres share: a port, connections, certificates, one fault at a time."""
