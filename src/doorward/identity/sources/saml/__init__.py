"""People whom a SAML identity provider vouches for: the service provider's side of SAML 2.0."""
