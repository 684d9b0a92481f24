"""Who can reach what: as it is, and as it would be."""
