"""Programs that register themselves as clients."""
