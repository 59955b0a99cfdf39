"""Surveys of facilities (R03, R16, R19, R20): states, the form of the field, attachments and their metadata."""
