"""What each provider's words about somebody mean in ours.

Whether an address counts as proven is decided here, provider by provider: only where the answer itself says so, and
where the provider's documentation does not take it back (S-450). ``docs/reference/oauth-providers.md`` names the page
that each of these was read from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Info = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider's answer says, in our words."""

    identifier: str
    username: str = ""
    name: str = ""
    email: str = ""
    email_verified: bool = False
    groups: tuple[str, ...] | None = None


def openid(info: Info) -> Profile:
    """The standard claims (OpenID Connect Core section 5.1)."""
    return Profile(
        identifier=_text(info, "sub"),
        username=_text(info, "preferred_username", "nickname"),
        name=_text(info, "name", "given_name"),
        email=_text(info, "email"),
        email_verified=info.get("email_verified") is True,
        groups=_groups(info),
    )


def entra(info: Info) -> Profile:
    """The address is whatever the tenant's administrator typed; names change hands, ``oid`` does not."""
    return Profile(
        identifier=_text(info, "oid", "sub"),
        username=_text(info, "preferred_username", "upn").partition("@")[0],
        name=_text(info, "name"),
        email=_text(info, "email"),
        groups=_groups(info),
    )


def google(info: Info) -> Profile:
    """Google says for whose addresses it stands in: its own, and those of the domains that it hosts (``hd``).

    Another address was proven once, when the Google account was made, and may have changed hands since.
    """
    said = openid(info)
    stands_in = said.email.lower().endswith("@gmail.com") or bool(_text(info, "hd"))
    return Profile(
        said.identifier, said.email.partition("@")[0], said.name, said.email, said.email_verified and stands_in
    )


def apple(info: Info) -> Profile:
    """``email_verified`` comes as text or as a truth value."""
    verified = info.get("email_verified")
    return Profile(_text(info, "sub"), email=_text(info, "email"), email_verified=verified in (True, "true"))


def github(info: Info) -> Profile:
    """Of the addresses in ``emails`` (asked for apart) the primary one, if GitHub says that it is verified.

    The public profile's address says nothing about that, whatever the settings there demand today.
    """
    primary = _primary(info.get("emails"))
    return Profile(
        _text(info, "id"),
        _text(info, "login"),
        _text(info, "name"),
        primary or _text(info, "email"),
        bool(primary),
    )


def discord(info: Info) -> Profile:
    return Profile(
        _text(info, "id"),
        _text(info, "username"),
        _text(info, "global_name", "username"),
        _text(info, "email"),
        info.get("verified") is True,
    )


def facebook(info: Info) -> Profile:
    """Nothing is said about whether the address is proven."""
    return Profile(_text(info, "id"), "", _text(info, "name"), _text(info, "email"))


def mailcow(info: Info) -> Profile:
    return Profile(
        _text(info, "id", "email"), _text(info, "full_name"), _text(info, "displayName"), _text(info, "email")
    )


def reddit(info: Info) -> Profile:
    return Profile(_text(info, "id"), _text(info, "name"), _text(info, "name"))


def patreon(info: Info) -> Profile:
    data, about = _inner(info, "data"), _inner(info, "data", "attributes")
    return Profile(
        _text(data, "id"),
        _text(about, "vanity"),
        _text(about, "full_name"),
        _text(about, "email"),
        about.get("is_email_verified") is True,
    )


def slack(info: Info) -> Profile:
    return Profile(
        _text(info, "sub"),
        _text(info, "name"),
        _text(info, "name"),
        _text(info, "email"),
        info.get("email_verified") is True,
    )


def twitch(info: Info) -> Profile:
    return Profile(
        _text(info, "sub"),
        _text(info, "preferred_username"),
        _text(info, "preferred_username"),
        _text(info, "email"),
        info.get("email_verified") is True,
    )


def twitter(info: Info) -> Profile:
    data = _inner(info, "data")
    return Profile(_text(data, "id"), _text(data, "username"), _text(data, "name"))


def _text(info: Info, *names: str) -> str:
    """The first of these that is a text or a number."""
    for name in names:
        value = info.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def _groups(info: Info) -> tuple[str, ...] | None:
    value = info.get("groups")
    return tuple(str(each) for each in value if isinstance(each, str)) if isinstance(value, list) else None


def _primary(emails: object) -> str:
    """The verified primary address among them; empty if there is none, or more than one."""
    found = [
        _text(each, "email")
        for each in (emails if isinstance(emails, list) else [])
        if isinstance(each, Mapping) and each.get("primary") is True and each.get("verified") is True
    ]
    return found[0] if len(found) == 1 else ""


def _inner(info: Info, *path: str) -> Info:
    for name in path:
        found = info.get(name)
        if isinstance(found, list):
            found = found[0] if found else None
        info = found if isinstance(found, Mapping) else {}
    return info
