"""HTTP clients of the platform's own services, and the token that they call with."""
