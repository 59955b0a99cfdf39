"""A frozen report as JSON, CSV, XLSX, DOCX and PDF, byte for byte the same wherever and whenever it is made."""
