"""Office files: DOCX and XLSX, their bytes free of the clock."""
