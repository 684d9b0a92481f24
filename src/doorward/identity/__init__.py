"""The identity provider: users, flows, applications, OpenID Connect, events, pages, REST API. A Django project."""
