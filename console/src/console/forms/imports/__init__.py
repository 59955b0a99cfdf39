"""Files of many rows for the register: checked, stored, stopped, taken back."""
