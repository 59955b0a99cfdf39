"""Media in FLV's shape, as RTMP carries it."""
