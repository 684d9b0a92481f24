"""Who may administer what: roles, what they permit, and that nobody raises themselves (contract section 10)."""
