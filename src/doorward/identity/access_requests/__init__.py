"""Access on request: asked for by a user, given by an owner, until a date."""
