"""A frozen report: its rows in integers, their digests, the chain, versions and approval. Pure, but for `collect`."""
