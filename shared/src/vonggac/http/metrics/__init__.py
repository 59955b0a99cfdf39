"""What is measured of a service and its requests, and the page that shows it."""
