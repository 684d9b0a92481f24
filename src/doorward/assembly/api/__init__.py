"""``api@internal``: what is configured and how it is doing, as JSON at Traefik's API paths (``contracts/proxy.md``
section 12). Read-only, and without secrets (S-617). Runs in the control process; the workers pass questions on."""
