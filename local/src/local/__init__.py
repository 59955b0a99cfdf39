"""The whole platform on one machine (`make run`, `make smoke`), and the tools that containers use for the same.

Owns no records of its own: it starts the parts as child processes, loads the demo through inventory's API and asks
reporting for the truth, as anybody else would.
"""
