"""The whole platform on one machine (`make run`, `make smoke`), and the tools that containers use for the same.

Keeps no records: it starts the parts as child processes, loads the demo through inventory's API and reads the result
from reporting's API, as any client does.
"""
