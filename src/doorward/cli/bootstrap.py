"""What the environment says about the identity provider: the first administrator's wishes, and how letters leave."""

from __future__ import annotations

import os

import click

from doorward.config.mail import BadMailUrl, read_mail_url
from doorward.messages.plan import IdentityPlan


def identity_plan(
    external_url: str,
    port: int,
    database: str = "",
    mail: str = "",
    geoip: tuple[str, ...] = (),
    blueprints: tuple[str, ...] = (),
    templates: str = "",
) -> IdentityPlan:
    """With ``DOORWARD_MAIL``, which goes before ``mail`` so that a password need not stand in a file,
    ``DOORWARD_BLUEPRINTS``, which goes before ``blueprints``, and with
    ``DOORWARD_BOOTSTRAP_PASSWORD``, ``_TOKEN`` and ``_EMAIL``, which count on the first start only.

    Raises click.ClickException.
    """
    spoken = os.environ.get("DOORWARD_MAIL", "")
    try:
        if spoken:
            read_mail_url(spoken)
    except BadMailUrl as error:
        raise click.ClickException(f"DOORWARD_MAIL cannot be used: {error}") from error
    return IdentityPlan(
        external_url=external_url.rstrip("/"),
        port=port,
        database=database,
        mail=spoken or mail,
        geoip=geoip,
        blueprints=tuple(path for path in os.environ.get("DOORWARD_BLUEPRINTS", "").split(os.pathsep) if path)
        or blueprints,
        templates=templates,
        bootstrap_password=os.environ.get("DOORWARD_BOOTSTRAP_PASSWORD", ""),
        bootstrap_token=os.environ.get("DOORWARD_BOOTSTRAP_TOKEN", ""),
        bootstrap_email=os.environ.get("DOORWARD_BOOTSTRAP_EMAIL", ""),
    )
