"""Checks the rows of a table, before any query that depends on them: cells, codes, each row as a whole."""
