"""Vietnamese first, English second: the catalogue, times and amounts, the words of states and causes."""
