"""What other systems take: webhooks and their deliveries, notices, the national list, figures for Prometheus."""
