"""The rules of the mandate that inventory and reporting share: pure."""
