"""One declaration per noun: what the routes, lists, files and events of it are made from."""
