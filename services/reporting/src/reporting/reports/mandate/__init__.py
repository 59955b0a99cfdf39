"""The mandate's process at an instant: progress, obligations, plan against fact, inspections, the calendar."""
