"""Tables, and the one way to change them: in a transaction with the change log and the outbox."""
