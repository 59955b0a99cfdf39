"""Whether a file is a frozen report: opened first, in a process with limits, then compared."""
