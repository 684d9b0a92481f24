"""Where a directory is, and whether we go there (S-650).

A name that was looked up is connected to by the address that was judged. Passwords go in the clear only where nobody
but the own network carries them: ``ldap://`` without StartTLS towards an address of the outside is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from doorward.identity.egress import addresses, resolving
from doorward.messages.routing import ClientTls


class NotAsked(Exception):
    """The directory gave no answer that can be used; the text says why, for administrators."""


class Refused(NotAsked):
    """What is configured is nothing that may be asked."""


class Unreachable(NotAsked):
    """No server was reached, or it did not answer in time."""


class Rejected(NotAsked):
    """The server answered, and said no."""


class WrongPassword(Rejected):
    """It does not know this name with this password."""


@dataclass(frozen=True, slots=True)
class Place:
    """One server of a directory."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.tls else 'ldap'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Where:
    """How to reach a directory: the first of its servers that answers is asked."""

    places: tuple[Place, ...]
    start_tls: bool = False
    tls: ClientTls | None = None
    """Whose certificates are believed, and which one is ours."""


def places_of(text: str) -> tuple[Place, ...]:
    """The servers of ``server_uri``: one or several URIs, with commas between them. Raises Refused."""
    found = tuple(_place(uri.strip()) for uri in text.split(",") if uri.strip())
    if not found:
        raise Refused(_("No server is named."))
    return found


def address_of(place: Place, encrypted: bool, seconds: float) -> str:
    """The address to connect to. Raises Refused, Unreachable."""
    if place.host in addresses.METADATA_NAMES:
        raise Refused(_("%(place)s is no server that may be asked.") % {"place": place})
    try:
        found = resolving.addresses_of(place.host, seconds)
    except OSError as error:
        raise Unreachable(
            _("The name %(host)s cannot be looked up: %(reason)s.")
            % {"host": place.host, "reason": error.strerror or error}
        ) from error
    if not found:
        raise Unreachable(_("The name %(host)s has no address.") % {"host": place.host})
    for address in found:
        if addresses.is_nobodys(address):
            raise Refused(_("%(place)s is no server that may be asked.") % {"place": place})
        if not encrypted and not addresses.is_inside(address):
            raise Refused(
                _("%(place)s is outside of this network: use ldaps:// or StartTLS, so that nobody reads the passwords.")
                % {"place": place}
            )
    return str(found[0])


def _place(uri: str) -> Place:
    problem = Refused(
        _("%(uri)s is no address of a directory: write ldap://host, ldaps://host or ldap://host:port.") % {"uri": uri}
    )
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise problem from None
    host = (parts.hostname or "").removesuffix(".")
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in ("ldap", "ldaps") or not host or extra or port == 0 or not host.isprintable():
        raise problem
    return Place(host, port or (636 if parts.scheme == "ldaps" else 389), parts.scheme == "ldaps")
