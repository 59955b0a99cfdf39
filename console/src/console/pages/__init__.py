"""The pages: each asks the services for its parts, and is drawn of what came back."""
