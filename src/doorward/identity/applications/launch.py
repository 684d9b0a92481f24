"""Where an application's tile leads (``contracts/identity.md`` section 4.1)."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from doorward.identity.applications.models import Application, Provider
from doorward.identity.directory.models import User

NO_TILE = "blank://blank"
"""Launch URL of an application that nobody wants to see in the library."""


def is_web_url(url: str) -> bool:
    """An http or https URL with a host: nothing else may become a link (S-530)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url


def launch_url(application: Application, user: User | None) -> str | None:
    """The application's own launch URL with the user's values filled in, else its provider's; None without either."""
    if application.meta_launch_url:
        url = _fill_in(application.meta_launch_url, user)
        return url if is_web_url(url) else None
    if application.provider is None:
        return None
    return of_provider(application.provider.concrete())


def of_provider(provider: Provider) -> str | None:
    """Proxy: the outside URL. OAuth2: the first redirect URI without its path."""
    external_host = getattr(provider, "external_host", "")
    if isinstance(external_host, str) and external_host:
        return external_host if is_web_url(external_host) else None
    for entry in getattr(provider, "redirect_uris", []):
        if entry.get("redirect_uri_type", "authorization") == "authorization" and is_web_url(entry.get("url", "")):
            parts = urlsplit(entry["url"])
            return f"{parts.scheme}://{parts.netloc}/"
    return None


def _fill_in(template: str, user: User | None) -> str:
    # Plain replacement, never %-formatting: a template cannot reach anything but these (S-531).
    values = {"username": "", "email": "", "name": "", "uid": ""}
    if user is not None:
        values = {"username": user.username, "email": user.email, "name": user.name, "uid": user.uid}
    for name, value in values.items():
        template = template.replace(f"%({name})s", quote(value, safe=""))
    return template
