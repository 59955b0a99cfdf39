"""Any file to rows of named cells: CSV and XLSX, whatever the noun."""
