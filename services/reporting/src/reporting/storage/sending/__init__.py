"""Tables and queries of what goes out: notices (the outbox), webhooks with their deliveries, and urging."""
