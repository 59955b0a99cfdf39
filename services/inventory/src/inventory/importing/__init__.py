"""CSV in and out: files as officials keep them in Excel, checked row by row, taken whole or not at all."""
