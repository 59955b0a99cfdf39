"""What facilities answer beside their own record."""
