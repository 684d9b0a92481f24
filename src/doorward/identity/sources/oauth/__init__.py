"""Logging in through another provider of OAuth 2 or OpenID Connect."""
