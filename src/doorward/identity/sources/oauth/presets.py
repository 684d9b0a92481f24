"""The usual providers: where their endpoints are, and what they want to be asked. A preset is a row.

``docs/reference/oauth-providers.md`` names the page that each row was checked against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

from doorward.identity.sources.models import OAuthSource
from doorward.identity.sources.oauth import profiles
from doorward.identity.sources.oauth.profiles import Info, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    name: str
    title: str
    does: str = gettext_noop("People log in here with the account that they have there")
    """One sentence for the page of offers, without its full stop."""
    symbol: str = "log-in"
    """Of the icon set: stands for it on administrators' pages."""
    register_at: str = ""
    """Where the provider registers clients, for administrators."""
    examples: Mapping[str, str] = field(default_factory=dict)
    """What the addresses look like, where everybody has their own."""
    authorization_url: str = ""
    exchange_url: str = ""
    profile_url: str = ""
    well_known_url: str = ""
    jwks_url: str = ""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What else is asked at the authorization endpoint."""
    emails_below: str = ""
    """Where below the profile's URL the addresses are told, which then stand in ``emails``."""
    urls_customizable: bool = False
    """Whether everybody has a server of their own of this type."""
    post_body: bool = False
    """The provider does not take the client's secret as HTTP Basic."""
    signs_secret: bool = False
    """The secret is a key that the client signs a short-lived one with (``client_secrets``)."""
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


PRESETS = (
    Preset(
        name="openidconnect",
        title="OpenID Connect",
        does=gettext_noop("Any provider that has a well-known URL, or speaks OAuth 2"),
        symbol="id-card",
        urls_customizable=True,
        examples={"oidc_well_known_url": "https://login.example.com/.well-known/openid-configuration"},
        read=profiles.openid,
    ),
    Preset(
        name="apple",
        title="Apple",
        symbol="apple",
        register_at="https://developer.apple.com/account/resources/identifiers/list/serviceId",
        well_known_url="https://appleid.apple.com/.well-known/openid-configuration",
        scopes=("openid", "email"),
        # Whoever asks for more than who it is gets the answer as a form (``views.callback``).
        parameters={"response_mode": "form_post"},
        post_body=True,
        signs_secret=True,
        read=profiles.apple,
    ),
    Preset(
        name="discord",
        title="Discord",
        symbol="message-circle",
        register_at="https://discord.com/developers/applications",
        authorization_url="https://discord.com/api/oauth2/authorize",
        exchange_url="https://discord.com/api/oauth2/token",
        profile_url="https://discord.com/api/users/@me",
        scopes=("identify", "email"),
        read=profiles.discord,
    ),
    Preset(
        name="entraid",
        title="Microsoft Entra ID",
        symbol="building-2",
        register_at="https://entra.microsoft.com/",
        urls_customizable=True,
        examples={
            "oidc_well_known_url": "https://login.microsoftonline.com/TENANT-ID/v2.0/.well-known/openid-configuration"
        },
        read=profiles.entra,
    ),
    Preset(
        name="facebook",
        title="Facebook",
        symbol="users",
        register_at="https://developers.facebook.com/apps/",
        authorization_url="https://www.facebook.com/v25.0/dialog/oauth",
        exchange_url="https://graph.facebook.com/v25.0/oauth/access_token",
        profile_url="https://graph.facebook.com/v25.0/me?fields=id,name,email",
        scopes=("email",),
        post_body=True,
        read=profiles.facebook,
    ),
    Preset(
        name="github",
        title="GitHub",
        symbol="git-branch",
        register_at="https://github.com/settings/developers",
        authorization_url="https://github.com/login/oauth/authorize",
        exchange_url="https://github.com/login/oauth/access_token",
        profile_url="https://api.github.com/user",
        scopes=("read:user", "user:email"),
        emails_below="/emails",
        urls_customizable=True,
        examples={
            "authorization_url": "https://github.example.com/login/oauth/authorize",
            "access_token_url": "https://github.example.com/login/oauth/access_token",
            "profile_url": "https://github.example.com/api/v3/user",
        },
        post_body=True,
        read=profiles.github,
    ),
    Preset(
        name="gitlab",
        title="GitLab",
        symbol="git-merge",
        register_at="https://gitlab.com/-/user_settings/applications",
        well_known_url="https://gitlab.com/.well-known/openid-configuration",
        urls_customizable=True,
        examples={"oidc_well_known_url": "https://gitlab.example.com/.well-known/openid-configuration"},
        read=profiles.openid,
    ),
    Preset(
        name="google",
        title="Google",
        symbol="globe",
        register_at="https://console.cloud.google.com/apis/credentials",
        well_known_url="https://accounts.google.com/.well-known/openid-configuration",
        read=profiles.google,
    ),
    Preset(
        name="mailcow",
        title="mailcow",
        symbol="mail",
        scopes=("profile",),
        urls_customizable=True,
        examples={
            "authorization_url": "https://mail.example.com/oauth/authorize",
            "access_token_url": "https://mail.example.com/oauth/token",
            "profile_url": "https://mail.example.com/oauth/profile",
        },
        post_body=True,
        pkce=False,
        read=profiles.mailcow,
    ),
    Preset(
        name="okta",
        title="Okta",
        symbol="circle-dot",
        urls_customizable=True,
        examples={"oidc_well_known_url": "https://example.okta.com/.well-known/openid-configuration"},
        read=profiles.openid,
    ),
    Preset(
        name="patreon",
        title="Patreon",
        symbol="heart",
        register_at="https://www.patreon.com/portal/registration/register-clients",
        authorization_url="https://www.patreon.com/oauth2/authorize",
        exchange_url="https://www.patreon.com/api/oauth2/token",
        profile_url=(
            "https://www.patreon.com/api/oauth2/v2/identity?fields%5Buser%5D=email,full_name,vanity,is_email_verified"
        ),
        scopes=("identity", "identity[email]"),
        post_body=True,
        pkce=False,
        read=profiles.patreon,
    ),
    Preset(
        name="reddit",
        title="Reddit",
        symbol="message-square",
        register_at="https://www.reddit.com/prefs/apps",
        authorization_url="https://www.reddit.com/api/v1/authorize",
        exchange_url="https://www.reddit.com/api/v1/access_token",
        profile_url="https://oauth.reddit.com/api/v1/me",
        scopes=("identity",),
        pkce=False,
        read=profiles.reddit,
    ),
    Preset(
        name="slack",
        title="Slack",
        symbol="hash",
        register_at="https://api.slack.com/apps",
        well_known_url="https://slack.com/.well-known/openid-configuration",
        post_body=True,
        pkce=False,
        read=profiles.slack,
    ),
    Preset(
        name="twitch",
        title="Twitch",
        symbol="tv",
        register_at="https://dev.twitch.tv/console/apps",
        well_known_url="https://id.twitch.tv/oauth2/.well-known/openid-configuration",
        scopes=("openid", "user:read:email"),
        # Without being asked for these one by one it tells neither name nor address (OpenID Connect Core section 5.5).
        parameters={"claims": '{"userinfo":{"preferred_username":null,"email":null,"email_verified":null}}'},
        post_body=True,
        pkce=False,
        read=profiles.twitch,
    ),
    Preset(
        name="twitter",
        title="X (Twitter)",
        symbol="at-sign",
        register_at="https://developer.x.com/en/portal/dashboard",
        authorization_url="https://x.com/i/oauth2/authorize",
        exchange_url="https://api.x.com/2/oauth2/token",
        profile_url="https://api.x.com/2/users/me",
        scopes=("users.read", "tweet.read"),
        read=profiles.twitter,
    ),
)
BY_NAME = {preset.name: preset for preset in PRESETS} | {
    "azuread": next(preset for preset in PRESETS if preset.name == "entraid")
}
CHOICES = [(preset.name, preset.title) for preset in PRESETS]
