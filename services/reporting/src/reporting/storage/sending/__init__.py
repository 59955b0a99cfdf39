"""What goes out, as stored: notices (the outbox), webhooks with their deliveries, rules, channels and log of urging."""
