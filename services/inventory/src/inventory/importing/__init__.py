"""CSV import: files as officials keep them in Excel, checked row by row, stored whole or not at all."""
