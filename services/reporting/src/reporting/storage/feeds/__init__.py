"""What reporting publishes, as stored: notices (the outbox), webhooks with their deliveries, and what was noticed."""
