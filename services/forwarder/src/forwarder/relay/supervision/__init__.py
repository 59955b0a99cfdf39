"""One supervisor per camera and per delivery: they alone retry."""
