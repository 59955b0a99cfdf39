"""How every camera stands now, kept in memory from the accounts that reports are made of."""
