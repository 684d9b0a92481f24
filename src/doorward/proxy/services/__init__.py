"""What answers a request that was let through: servers elsewhere, or something in this very worker."""
