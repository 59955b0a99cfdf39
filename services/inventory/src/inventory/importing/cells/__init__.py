"""Single cells: text, numbers, dates and words as spreadsheets write them, both ways."""
