"""PDF/A-2a and PDF/UA-1 by Typst, with fields for signatures."""
