"""Files in and out: imports, exports, templates."""
