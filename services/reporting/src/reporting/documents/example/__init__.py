"""A small province of May 2021, made up from a seed: the documents of docs/examples, and what tests report on."""
