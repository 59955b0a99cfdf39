"""The verbs of the mandate: what its nouns do beside being read and written."""
