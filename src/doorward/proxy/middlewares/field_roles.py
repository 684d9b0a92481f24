"""What a field name is to one ``forwardAuth``: the auth server's to set, a sign of who it is, a cookie ...

Several roles add up, as bits, so that one look at a name says everything.
"""

from __future__ import annotations

from doorward.config.patterns import MAX_SUBJECT, compile_pattern
from doorward.messages.routing import ForwardAuth
from doorward.proxy.field_names import DROPPED, IDENTITY_PREFIX, NameTable
from doorward.proxy.middlewares.denial import CONSUMED_FIELD, SESSION_FIELD

TAKEN, USERNAME, UID, OTHER_IDENTITY, SESSION, NOTED, COOKIE, CONSUMED, AUTHORIZATION = (1 << bit for bit in range(9))
"""TAKEN: the auth server's to set. NOTED: looked at in its answers. CONSUMED: says what has been used up."""

_NEVER_TAKEN = DROPPED
"""Framing, hop-by-hop and private fields: an auth server cannot set them on the application's request."""
_IDENTITY = {b"x-authentik-username": USERNAME, b"x-authentik-uid": UID}
"""What our own outpost never leaves out when it says who it is."""


class FieldRoles:
    """``of[name]`` for a name as it stands on the wire."""

    def __init__(self, middleware: ForwardAuth, guards_cookies: bool) -> None:
        """Raises ValueError when ``authResponseHeadersRegex`` is no expression that may run."""
        self._listed = frozenset(name.lower().encode() for name in middleware.auth_response_headers) - _NEVER_TAKEN
        regex = middleware.auth_response_headers_regex
        self._pattern = compile_pattern(regex) if regex else None
        self._takes_cookies = bool(middleware.add_auth_cookies_to_response)
        self._user_field = middleware.header_field.lower().encode()
        self._guards_cookies = guards_cookies
        self.of: NameTable[int] = NameTable(self._role)

    def _role(self, name: bytes) -> int:
        role = _IDENTITY.get(name, OTHER_IDENTITY if name.startswith(IDENTITY_PREFIX) else 0)
        if self._takes(name):
            role |= TAKEN
        if name == SESSION_FIELD:
            role |= SESSION
        if name == self._user_field or (self._takes_cookies and name == b"set-cookie"):
            role |= NOTED
        if name == b"cookie":
            role |= COOKIE
        if name == CONSUMED_FIELD and self._guards_cookies:
            role |= CONSUMED
        if name == b"authorization":
            role |= AUTHORIZATION
        return role

    def _takes(self, name: bytes) -> bool:
        """Whether ``name`` (lower case) is the auth server's to set."""
        if name in self._listed:
            return True
        if self._pattern is None or name in _NEVER_TAKEN or len(name) > MAX_SUBJECT:
            return False
        return self._pattern.search(canonical_name(name)) is not None


def canonical_name(name: bytes) -> str:
    """``x-auth-user`` as ``X-Auth-User``: the spelling that ``authResponseHeadersRegex`` is written for."""
    return "-".join(part.capitalize() for part in name.decode("ascii").split("-"))
