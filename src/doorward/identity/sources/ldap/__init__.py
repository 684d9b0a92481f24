"""People of an LDAP directory: found, copied at intervals, and let in with the password that they have there."""
