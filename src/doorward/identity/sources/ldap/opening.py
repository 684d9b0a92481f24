"""A source's directory, opened: the connection, encrypted as the source says, as its reader."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from doorward.identity.crypto.vault import Unreadable
from doorward.identity.sources.ldap.models import LDAPSource
from doorward.identity.sources.ldap.places import Refused, Rejected, Where, WrongPassword, places_of
from doorward.messages.routing import ClientTls

if TYPE_CHECKING:
    from doorward.identity.sources.ldap.client import Directory


class ReaderRejected(Rejected):
    """The source's own name and password do not do: nothing that somebody who logs in has done."""


def where(source: LDAPSource) -> Where:
    """Raises Refused, Unreadable."""
    peer, client = source.peer_certificate, source.client_certificate
    tls = ClientTls(
        ca_pem=peer.certificate_pem if peer else "",
        cert_pem=client.certificate_pem if client else "",
        key_pem=client.private_key_pem if client else "",
    )
    return Where(places_of(source.server_uri), source.start_tls, tls)


@contextmanager
def opened(source: LDAPSource, *, seconds: float = 10.0) -> Iterator[Directory]:
    """Raises what ``places`` knows: NotAsked with its reason."""
    try:
        from doorward.identity.sources.ldap.client import connected
    except ImportError as error:
        raise Refused(
            _("LDAP needs a package that is not installed: pip install 'doorward[ldap]' (%(error)s).")
            % {"error": error}
        ) from error
    try:
        place, password = where(source), source.bind_password
    except Unreadable as error:
        raise Refused(str(error)) from error
    with connected(place, seconds=seconds) as directory:
        if source.bind_cn:
            try:
                directory.bind(source.bind_cn, password)
            except WrongPassword as error:
                raise ReaderRejected(
                    _("The directory does not know %(name)s with the password that is set here.")
                    % {"name": source.bind_cn}
                ) from error
        yield directory
