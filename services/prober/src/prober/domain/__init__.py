"""Pure decisions of the prober: what a probe means and when the next one is due. No I/O, no clock, no framework."""
