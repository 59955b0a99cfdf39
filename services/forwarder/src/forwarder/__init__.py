"""forwarder."""
