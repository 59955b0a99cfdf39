"""One probe of one camera: by an own session or by the forwarder's keyframe, and what is remembered between probes."""
