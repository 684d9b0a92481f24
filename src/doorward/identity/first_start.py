"""What a new installation is given: the objects of ``contracts/identity.md`` section 7, and one administrator.

Everything but the administrator is made again when it is missing at a later start. The administrator is made once:
the ``Installation`` row that is written with them stays, whoever deletes them later (S-523).
"""

from __future__ import annotations

import secrets

from django.core.exceptions import ValidationError
from django.db import transaction

from doorward.identity.bootstrap import Bootstrap, CannotPrepare, Prepared
from doorward.identity.crypto import actions as crypto
from doorward.identity.crypto import vault
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import KEY_CHECK, Group, Installation, Token
from doorward.identity.events.actor import Actor
from doorward.identity.flows import defaults as flow_defaults
from doorward.identity.notifications import defaults as notification_defaults
from doorward.identity.oauth2 import defaults as oauth2_defaults
from doorward.identity.outposts import actions as outposts
from doorward.identity.sources.ldap import defaults as ldap_defaults

ADMINS = "authentik Admins"
ADMINISTRATOR = "akadmin"
TOKEN = "authentik-bootstrap-token"  # noqa: S105 - its public identifier


def make_defaults() -> None:
    """Everything that every installation has; what exists is left as it is."""
    actor = Actor.system()
    with transaction.atomic():
        crypto.ensure(actor)
        oauth2_defaults.ensure()
        flow_defaults.ensure()
        ldap_defaults.ensure()
        outposts.ensure_embedded(actor)
        ensure_admins()


def ensure_admins() -> Group:
    """The group whose members are superusers."""
    found = Group.objects.filter(name=ADMINS).first()
    return found or directory.create_group(Actor.system(), name=ADMINS, is_superuser=True)


def make_rules() -> None:
    """Whom a new installation tells about what went wrong; made once."""
    notification_defaults.ensure(ensure_admins())


def begin(bootstrap: Bootstrap) -> Prepared:
    """Make the first administrator, if nobody ever did. Raises CannotPrepare."""
    with transaction.atomic():
        installation = Installation.objects.select_for_update().first()
        if installation is not None:
            _require_own_key(installation)
            return Prepared(first_start=False, generated_password=None)
        # Two that start at once: the primary key lets one of them through.
        Installation.objects.create(id=1, key_check=vault.seal("doorward", KEY_CHECK))
        password = bootstrap.password or _readable_password()
        try:
            _make_administrator(bootstrap, password)
        except ValidationError as error:
            raise CannotPrepare(_named(error)) from error
    return Prepared(first_start=True, generated_password=None if bootstrap.password else password)


def _named(error: ValidationError) -> str:
    """Which wish cannot be fulfilled, by the variable in which the operator wrote it."""
    fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    variables = {"password": "PASSWORD", "key": "TOKEN", "email": "EMAIL"}
    return "\n".join(
        f"DOORWARD_BOOTSTRAP_{variables[field]} cannot be used: {' '.join(messages)}"
        if field in variables
        else " ".join(messages)
        for field, messages in fields.items()
    )


def _make_administrator(bootstrap: Bootstrap, password: str) -> None:
    actor = Actor.system()
    user = directory.create_user(
        actor,
        username=ADMINISTRATOR,
        name="authentik Default Admin",
        email=bootstrap.email or "root@example.com",
        groups=[ensure_admins()],
        password=password,
    )
    if bootstrap.token:
        directory.create_token(
            actor, user=user, identifier=TOKEN, intent=Token.Intent.API, expiring=False, key=bootstrap.token
        )


def require_own_key() -> None:
    """Raises CannotPrepare where the database belongs to another ``secret.key``, or to nobody yet."""
    installation = Installation.objects.first()
    if installation is None:
        raise CannotPrepare("The database is empty: there is nothing of an installation in it")
    _require_own_key(installation)


def _require_own_key(installation: Installation) -> None:
    try:
        vault.unseal(installation.key_check, KEY_CHECK)
    except vault.Unreadable as error:
        raise CannotPrepare(
            "secret.key does not belong to this database: put the old key back, or start with an empty state folder"
        ) from error


def _readable_password() -> str:
    """Five groups of four from an alphabet without look-alikes: 98 bits."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(5))
