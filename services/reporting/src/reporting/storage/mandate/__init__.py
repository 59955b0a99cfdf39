"""The register of the mandate, dated, and the formats that cameras were seen to have."""
