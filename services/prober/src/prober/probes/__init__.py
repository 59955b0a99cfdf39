"""Probing cameras. A probe is one attempt with one deadline and no retry: it measures, and returns a value.

A new kind of probe is one file with one function of the type `Probe` and one line in `camera.prober.PROBES`.
"""
