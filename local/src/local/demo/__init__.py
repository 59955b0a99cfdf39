"""The demo: its CSV files, beside this one, and their loading into inventory."""
