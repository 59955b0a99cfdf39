"""The platform as child processes: ports, state, environment, start and stop order."""
