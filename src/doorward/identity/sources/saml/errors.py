"""Why a message of SAML is not believed. The text is for administrators' events; visitors are told less."""

from __future__ import annotations


class NotBelieved(Exception):
    """The message is not what its sender should have sent, or not its sender's."""


class NotSigned(NotBelieved):
    """No signature that counts, or one that does not hold."""


class Declined(NotBelieved):
    """The identity provider says itself that nobody was logged in."""
