"""The demo: what is in it (the CSV files beside this one) and how it is put into inventory."""
