"""What workers observed, as rows: runs of probes, claims and proofs of deliveries, signs of life, site faults."""
