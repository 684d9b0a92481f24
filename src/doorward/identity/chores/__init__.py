"""Work that nobody waits for: at intervals, or soon after something has happened."""
