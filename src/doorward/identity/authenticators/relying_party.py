"""Who we are to authenticators: the host of the external URL, and that URL's origin and no other."""

from __future__ import annotations

import ipaddress

from django.conf import settings

_DEFAULT_PORTS = {"https": 443, "http": 80}


def rp_id() -> str:
    """The domain that credentials are made for; they work at no other, and not at subdomains of ours."""
    return settings.EXTERNAL.hostname or ""


def origin() -> str:
    """The origin as browsers write it: without the scheme's own port."""
    external = settings.EXTERNAL
    port = external.port
    authority = rp_id() if port in (None, _DEFAULT_PORTS.get(external.scheme)) else f"{rp_id()}:{port}"
    return f"{external.scheme}://{authority}"


def is_possible() -> bool:
    """Browsers offer passkeys at names, not at addresses, and only over TLS or at localhost."""
    host = rp_id()
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return settings.EXTERNAL.scheme == "https" or host == "localhost" or host.endswith(".localhost")
    return False
