"""Charts as SVG, made on the server: pure functions of integers, no script, Vietnamese first, never colour alone."""
