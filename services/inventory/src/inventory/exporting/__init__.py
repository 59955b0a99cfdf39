"""Files of what is on record, in the columns of the imports: exported, edited, imported again."""
