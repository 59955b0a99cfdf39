"""What a person may do, as the services describe it: acts, their fields and words, and who is offered them."""
