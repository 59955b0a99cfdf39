"""The pages behind a facility's QR code: its own acts, by a short-lived link in place of a sign-in."""
