"""What reads the tables: lists, both clocks, what refers to a thing."""
