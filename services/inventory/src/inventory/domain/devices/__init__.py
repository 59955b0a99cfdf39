"""Rules of cameras and destinations: addresses, codecs, areas, trust."""
