"""What availability is read from beside the facts: the ledger, what came late for it, and the targets."""
