"""/v1/present and what goes with it: how all stands now, what changes, how fresh it is."""
