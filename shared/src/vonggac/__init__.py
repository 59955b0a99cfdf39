"""vonggac."""
