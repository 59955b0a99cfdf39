"""RTSP as bytes: messages, headers, framing and session descriptions. Pure, for clients and servers alike."""
