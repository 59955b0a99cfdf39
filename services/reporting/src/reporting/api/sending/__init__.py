"""What goes out: webhooks and notices, the national list, figures for Prometheus, and urging (R11) with its log."""
