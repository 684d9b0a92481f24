"""The usual providers: where their endpoints are, and which of their words mean what.

A preset is a row: URLs, scopes, and a function that reads the provider's profile. Whether an address counts as proven
is decided here, provider by provider: only where the provider's documentation says that it proves addresses, or where
each answer says so itself (S-450).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from doorward.identity.sources.models import OAuthSource

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    name: str
    title: str
    does: str = "People log in here with the account that they have there"
    """One sentence for the page of offers, without its full stop."""
    symbol: str = "log-in"
    """Of the icon set: stands for it on pages, where the source has no picture of its own."""
    register_at: str = ""
    """Where the provider registers clients, for administrators."""
    example: str = ""
    """What the well-known URL looks like, where everybody has their own."""
    authorization_url: str = ""
    exchange_url: str = ""
    profile_url: str = ""
    well_known_url: str = ""
    jwks_url: str = ""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    urls_customizable: bool = False
    """Whether everybody has a server of their own of this type."""
    post_body: bool = False
    """The provider does not take the client's secret as HTTP Basic."""
    pkce: bool = True
    read: Callable[[Info], Profile]

    def usual(self) -> dict[str, object]:
        """What a new source of it begins with, where that is not the default of all."""
        found: dict[str, object] = {}
        if self.post_body:
            found["authorization_code_auth_method"] = OAuthSource.AuthMethod.POST
        if not self.pkce:
            found["pkce"] = OAuthSource.Pkce.NONE
        return found


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


def _openid(info: Info) -> Profile:
    """The standard claims (OpenID Connect Core section 5.1)."""
    return Profile(
        identifier=_text(info, "sub"),
        username=_text(info, "preferred_username", "nickname"),
        name=_text(info, "name", "given_name"),
        email=_text(info, "email"),
        email_verified=info.get("email_verified") is True,
        groups=_groups(info),
    )


def _entra(info: Info) -> Profile:
    # The address is whatever the tenant's administrator typed, and ``email_verified`` is not said.
    return Profile(
        identifier=_text(info, "oid", "sub"),
        username=_text(info, "preferred_username", "upn").partition("@")[0],
        name=_text(info, "name"),
        email=_text(info, "email"),
        groups=_groups(info),
    )


def _apple(info: Info) -> Profile:
    verified = info.get("email_verified")
    return Profile(_text(info, "sub"), email=_text(info, "email"), email_verified=verified in (True, "true"))


def _github(info: Info) -> Profile:
    # The public profile's address is one that GitHub has proven; a private one is not said.
    email = _text(info, "email")
    return Profile(_text(info, "id"), _text(info, "login"), _text(info, "name"), email, bool(email))


def _discord(info: Info) -> Profile:
    return Profile(
        _text(info, "id"),
        _text(info, "username"),
        _text(info, "global_name", "username"),
        _text(info, "email"),
        info.get("verified") is True,
    )


def _facebook(info: Info) -> Profile:
    return Profile(_text(info, "id"), "", _text(info, "name"), _text(info, "email"))


def _mailcow(info: Info) -> Profile:
    return Profile(
        _text(info, "id", "email"), _text(info, "full_name"), _text(info, "displayName"), _text(info, "email")
    )


def _reddit(info: Info) -> Profile:
    return Profile(_text(info, "id"), _text(info, "name"), _text(info, "name"))


def _inner(info: Info, *path: str) -> Info:
    for name in path:
        found = info.get(name)
        if isinstance(found, list):
            found = found[0] if found else None
        info = found if isinstance(found, Mapping) else {}
    return info


def _patreon(info: Info) -> Profile:
    data, about = _inner(info, "data"), _inner(info, "data", "attributes")
    return Profile(
        _text(data, "id"),
        _text(about, "vanity"),
        _text(about, "full_name"),
        _text(about, "email"),
        about.get("is_email_verified") is True,
    )


def _slack(info: Info) -> Profile:
    user = info.get("https://slack.com/user_id")
    return Profile(
        str(user) if isinstance(user, str) else _text(info, "sub"),
        _text(info, "name"),
        _text(info, "name"),
        _text(info, "email"),
        info.get("email_verified") is True,
    )


def _twitch(info: Info) -> Profile:
    return Profile(
        _text(info, "sub"),
        _text(info, "preferred_username"),
        _text(info, "preferred_username"),
        _text(info, "email"),
        info.get("email_verified") is True,
    )


def _twitter(info: Info) -> Profile:
    data = _inner(info, "data")
    return Profile(_text(data, "id"), _text(data, "username"), _text(data, "name"))


PRESETS = (
    Preset(name="openidconnect", title="OpenID Connect", urls_customizable=True, read=_openid),
    Preset(
        name="apple",
        title="Apple",
        well_known_url="https://appleid.apple.com/.well-known/openid-configuration",
        # Apple answers with a form from its own site when it is asked for more, and browsers send no cookie with that.
        scopes=("openid",),
        post_body=True,
        read=_apple,
    ),
    Preset(
        name="discord",
        title="Discord",
        authorization_url="https://discord.com/api/oauth2/authorize",
        exchange_url="https://discord.com/api/oauth2/token",
        profile_url="https://discord.com/api/users/@me",
        scopes=("identify", "email"),
        read=_discord,
    ),
    Preset(name="entraid", title="Microsoft Entra ID", urls_customizable=True, read=_entra),
    Preset(
        name="facebook",
        title="Facebook",
        authorization_url="https://www.facebook.com/v19.0/dialog/oauth",
        exchange_url="https://graph.facebook.com/v19.0/oauth/access_token",
        profile_url="https://graph.facebook.com/v19.0/me?fields=id,name,email",
        scopes=("email",),
        post_body=True,
        read=_facebook,
    ),
    Preset(
        name="github",
        title="GitHub",
        authorization_url="https://github.com/login/oauth/authorize",
        exchange_url="https://github.com/login/oauth/access_token",
        profile_url="https://api.github.com/user",
        scopes=("read:user", "user:email"),
        urls_customizable=True,
        post_body=True,
        read=_github,
    ),
    Preset(
        name="gitlab",
        title="GitLab",
        well_known_url="https://gitlab.com/.well-known/openid-configuration",
        urls_customizable=True,
        read=_openid,
    ),
    Preset(
        name="google",
        title="Google",
        well_known_url="https://accounts.google.com/.well-known/openid-configuration",
        read=_openid,
    ),
    Preset(
        name="mailcow",
        title="mailcow",
        scopes=("profile",),
        urls_customizable=True,
        post_body=True,
        pkce=False,
        read=_mailcow,
    ),
    Preset(name="okta", title="Okta", urls_customizable=True, read=_openid),
    Preset(
        name="patreon",
        title="Patreon",
        authorization_url="https://www.patreon.com/oauth2/authorize",
        exchange_url="https://www.patreon.com/api/oauth2/token",
        profile_url=(
            "https://www.patreon.com/api/oauth2/v2/identity?fields%5Buser%5D=email,full_name,vanity,is_email_verified"
        ),
        scopes=("identity", "identity[email]"),
        post_body=True,
        pkce=False,
        read=_patreon,
    ),
    Preset(
        name="reddit",
        title="Reddit",
        authorization_url="https://www.reddit.com/api/v1/authorize",
        exchange_url="https://www.reddit.com/api/v1/access_token",
        profile_url="https://oauth.reddit.com/api/v1/me",
        scopes=("identity",),
        pkce=False,
        read=_reddit,
    ),
    Preset(
        name="slack",
        title="Slack",
        well_known_url="https://slack.com/.well-known/openid-configuration",
        post_body=True,
        pkce=False,
        read=_slack,
    ),
    Preset(
        name="twitch",
        title="Twitch",
        well_known_url="https://id.twitch.tv/oauth2/.well-known/openid-configuration",
        scopes=("openid", "user:read:email"),
        post_body=True,
        pkce=False,
        read=_twitch,
    ),
    Preset(
        name="twitter",
        title="Twitter (X)",
        authorization_url="https://twitter.com/i/oauth2/authorize",
        exchange_url="https://api.twitter.com/2/oauth2/token",
        profile_url="https://api.twitter.com/2/users/me",
        scopes=("users.read", "tweet.read"),
        read=_twitter,
    ),
)
BY_NAME = {preset.name: preset for preset in PRESETS} | {
    "azuread": next(preset for preset in PRESETS if preset.name == "entraid")
}
CHOICES = [(preset.name, preset.title) for preset in PRESETS]
