"""Official documents as PDF/A-2a and PDF/UA-1, set by Typst with fonts that lie here."""
