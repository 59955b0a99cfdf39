"""Tables and queries; each change commits with its change log and its outbox rows."""
