"""What a page is drawn with: the templates in two languages, and pictures of few lines as SVG."""
