"""The header fields that tell an application who is asking (``contracts/outpost.md`` section 9).

Built once per session and reused for every request. All twelve are always there, empty when there is nothing to
say, so that whatever a client sent under these names is overwritten. Text goes out as UTF-8 on one line; a value
with a control character is left out rather than repaired (S-113).
"""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from typing import Any

import msgspec

from doorward.messages.additional_headers import is_free
from doorward.messages.http import Header
from doorward.messages.outposts import ForeignIssuer
from doorward.messages.sessions import Claims, ProxySession
from doorward.outpost.application import Application

log = logging.getLogger(__name__)

_PERSONAL = ("username", "email", "name", "uid", "jwt")
_COMMON = frozenset(
    f"X-authentik-{name}"
    for name in ("groups", "entitlements", "meta-jwks", "meta-outpost", "meta-provider", "meta-app", "meta-version")
)
"""What people have in common."""
_NAMES = {name: name.encode() for name in (*(f"X-authentik-{name}" for name in _PERSONAL), *_COMMON)}
_MOST_COMMON = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def is_sayable(text: str) -> bool:
    """Whether ``text`` may stand in a header field."""
    return _CONTROL.search(text) is None


def build(session: ProxySession, application: Application) -> tuple[Header, ...]:
    """The fields for every request that passes with ``session``."""
    claims, foreign = session.claims, application.provider.foreign
    fields: dict[str, str] = {}
    if foreign is None or foreign.authentik_headers:
        fields = _authentik(session, application)
    if foreign is not None:
        fields.update(_by_rule(session, foreign))
    attributes = _user_attributes(claims)
    credentials = _basic_credentials(application, claims, attributes)
    if credentials:
        fields["Authorization"] = credentials
    _add_additional(fields, attributes.get("additionalHeaders"))
    return tuple(_field(name, text, application.common_fields) for name, text in fields.items())


def _field(name: str, text: str, common: dict[tuple[str, str], Header]) -> Header:
    """A field as it is sent; one object for all sessions that have it alike, for a worker keeps a million of them."""
    if name not in _COMMON:
        return _NAMES.get(name) or name.encode(), _value(name, text)
    field = common.get((name, text))
    if field is None:
        field = _NAMES[name], _value(name, text)
        if len(common) < _MOST_COMMON:
            common[name, text] = field
    return field


def _authentik(session: ProxySession, application: Application) -> dict[str, str]:
    provider, claims = application.provider, session.claims
    return {
        "X-authentik-username": claims.preferred_username,
        "X-authentik-groups": _joined(claims.groups, "group"),
        "X-authentik-entitlements": _joined(claims.entitlements, "entitlement"),
        "X-authentik-email": claims.email,
        "X-authentik-name": claims.name,
        "X-authentik-uid": claims.sub,
        "X-authentik-jwt": session.access_token if provider.foreign is None else session.id_token,
        "X-authentik-meta-jwks": provider.jwks_uri,
        "X-authentik-meta-outpost": provider.outpost,
        "X-authentik-meta-provider": provider.name,
        "X-authentik-meta-app": provider.application_slug,
        "X-authentik-meta-version": f"goauthentik.io/outpost/{application.version}",
    }


def _by_rule(session: ProxySession, foreign: ForeignIssuer) -> dict[str, str]:
    """Every field that the configuration names is there, empty when there is nothing to say: so it replaces whatever
    the client has sent under that name."""
    values = dict(session.claims.headers)
    tokens = {"@access_token": session.access_token, "@id_token": session.id_token}
    made: dict[str, str] = {}
    for rule in foreign.headers:
        token = tokens.get(rule.claim)
        made[rule.header] = values.get(rule.header, "") if token is None else token and f"{rule.prefix}{token}"
    return made


def _value(name: str, text: str) -> bytes:
    if not is_sayable(text):
        log.warning("%s is sent empty: its value holds a control character", name)
        return b""
    return text.encode("utf-8", "replace").strip(b" ")


def _joined(names: tuple[str, ...], what: str) -> str:
    """Names with a pipe between them. A name that holds a pipe could pass for two others: left out (S-114)."""
    good = [name for name in names if "|" not in name and is_sayable(name)]
    if len(good) < len(names):
        log.warning("%d %s name(s) with a pipe or a control character are not sent", len(names) - len(good), what)
    return "|".join(good)


def _user_attributes(claims: Claims) -> dict[str, Any]:
    try:
        attributes = msgspec.msgpack.decode(claims.user_attributes)
    except msgspec.MsgspecError:
        return {}
    return attributes if isinstance(attributes, dict) else {}


def _basic_credentials(application: Application, claims: Claims, attributes: dict[str, Any]) -> str:
    """``contracts/outpost.md`` section 9.2: the application's own Basic credentials, out of the user's attributes."""
    provider = application.provider
    if not provider.basic_auth_enabled:
        return ""
    username = attributes.get(provider.basic_auth_user_attribute)
    password = attributes.get(provider.basic_auth_password_attribute)
    if not isinstance(password, str) or not password:
        return ""
    name = username if isinstance(username, str) and username else claims.email
    if ":" in name or not is_sayable(name) or not is_sayable(password):
        # The application would split it elsewhere (RFC 7617 section 2).
        log.warning("Basic credentials for %r are not sent: they hold a colon or a control character", provider.name)
        return ""
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def _add_additional(fields: dict[str, str], additional: object) -> None:
    """``additionalHeaders`` of the user's attributes, never over a field that frames or identifies (S-115)."""
    if not isinstance(additional, dict):
        return
    for name, value in additional.items():
        if not isinstance(name, str) or not is_free(name):
            log.warning("additional header %.80r is refused", name)
            continue
        text = _as_text(value)
        if not is_sayable(text):
            log.warning("additional header %.80r is refused: its value holds a control character", name)
            continue
        for same in [known for known in fields if known.lower() == name.lower()]:
            del fields[same]
        fields[name] = text


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else ""
