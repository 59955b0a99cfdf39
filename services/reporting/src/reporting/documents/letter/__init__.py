"""The words of the report as blocks: what it says, whatever it is written as."""
