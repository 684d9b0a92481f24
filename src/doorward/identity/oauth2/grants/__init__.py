"""The grants of the token endpoint: one file each, ``grant(client, form, …) -> Tokens | Denial``."""
