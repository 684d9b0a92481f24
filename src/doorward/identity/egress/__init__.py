"""HTTP from the identity provider to the outside: one way out, with one rule about where it may lead."""
