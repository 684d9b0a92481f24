"""The one error of this room: a token that is not believed."""

from __future__ import annotations


class TokenRefused(Exception):
    """A token that must not be believed, and which part of it is to blame.

    ``part`` is ``format``, ``header``, ``alg``, ``kid``, ``signature`` or the name of the claim. The message says why
    in words fit for a log: it never holds the token or a claim's value.
    """

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part}: {why}")
        self.part = part
        self.why = why
