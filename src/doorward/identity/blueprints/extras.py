"""Attributes that objects have in blueprints only: what the API writes by an action of its own, or by another name."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import check_password

from doorward.identity.crypto import vault
from doorward.identity.directory import actions as directory
from doorward.identity.events.actor import Actor
from doorward.identity.roles import actions as roles


@dataclass(frozen=True, slots=True)
class Extra:
    is_so: Callable[[Any, Any], bool]
    """Whether the object has this value already."""
    write: Callable[[Actor, Any, Any], None]
    shown: Callable[[Any], Any]
    """What the object has, for the eye."""
    is_secret: bool = False
    check: Callable[[Any], str] = lambda value: "" if isinstance(value, str) and value else "a text is expected"
    """What is wrong with the value; empty when nothing is."""


def _has_password(user: Any, password: str) -> bool:
    return check_password(password, user.password)


def _has_key(token: Any, key: str) -> bool:
    return hmac.compare_digest(vault.digest(key), token.key_hash)


def _set_key(actor: Actor, token: Any, key: str) -> None:
    directory.set_token_key(actor, token, key)


def _permissions_of(role: Any) -> list[str]:
    return sorted(role.grants.filter(object_pk="").values_list("permission", flat=True))


def _set_permissions(actor: Actor, role: Any, names: list[str]) -> None:
    held = set(_permissions_of(role))
    roles.assign(actor, role, sorted(set(names) - held))
    roles.unassign(actor, role, sorted(held - set(names)))


def _names(value: Any) -> str:
    fits = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return "" if fits else "a list of permissions is expected"


EXTRAS: dict[str, dict[str, Extra]] = {
    "authentik_core.user": {
        "password": Extra(_has_password, directory.set_password, lambda user: "", is_secret=True),
    },
    "authentik_core.token": {
        "key": Extra(_has_key, _set_key, lambda token: "", is_secret=True),
    },
    "authentik_rbac.role": {
        "permissions": Extra(
            lambda role, names: _permissions_of(role) == sorted(set(names)),
            _set_permissions,
            _permissions_of,
            check=_names,
        ),
    },
}

OTHER_NAMES = {
    "authentik_core.application": {"icon": "meta_icon"},
}
"""What blueprints may call a field, and its name here."""

MADE_OTHERWISE: dict[str, frozenset[str]] = {
    "authentik_stages_email.emailstage": frozenset(
        {"host", "port", "username", "password", "use_tls", "use_ssl", "timeout", "from_address"}
    ),
    "authentik_stages_identification.identificationstage": frozenset({"template"}),
}
"""Fields that are read over with a warning: letters leave as the installation says, and pages look as its brand says,
whatever a stage says."""
ONE_OF_MANY = {"authentik_core.group": {"parent": "parents"}}
"""Fields that files of earlier versions have with one value, and objects with several."""
KEPT_ELSEWHERE = {
    ("authentik_crypto.certificatekeypair", "certificate_data"): "certificate_pem",
    ("authentik_crypto.certificatekeypair", "key_data"): "private_key_pem",
}
"""Where an object keeps what the API takes under a name that the object has not."""
