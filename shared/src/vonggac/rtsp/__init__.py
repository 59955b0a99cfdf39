"""RTSP over TCP for those who play, publish or serve it: prober, forwarder and simulator."""
