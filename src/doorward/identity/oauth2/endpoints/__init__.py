"""The HTTP faces of OAuth2: they read a request, ask the rooms beside them, and write the answer."""
