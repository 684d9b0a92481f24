"""What counts as configuration: the tables whose triggers change the mark, and nothing else may be remembered.

People, memberships, sessions, tokens, consents and keys are not among them: they are read whenever they are needed.
"""

from __future__ import annotations

from functools import cache

from django.apps import apps
from django.db import models

ALL_BUT: dict[str, frozenset[str]] = {
    "brands": frozenset({"Picture"}),
    "flows": frozenset(),
    "stages": frozenset({"Invitation"}),
    "policies": frozenset({"PastLogin", "Reputation", "FormerPassword"}),
    "system": frozenset(),
}
"""App → models that are no configuration."""
ONLY: dict[str, frozenset[str]] = {
    "applications": frozenset({"Application", "Provider"}),
    "oauth2": frozenset({"OAuth2Provider", "OAuth2Provider_scope_mappings", "ScopeMapping"}),
    "outposts": frozenset({"ProxyProvider"}),
    "sources": frozenset({"Source"}),
}
"""App → models that are configuration."""


@cache
def tables() -> frozenset[str]:
    """Their names in the database; those between two models included."""
    return frozenset(
        model._meta.db_table for model in apps.get_models(include_auto_created=True) if _is_configuration(model)
    )


def is_watched(model: type[models.Model]) -> bool:
    """Whether every table that objects of ``model`` come from is watched."""
    return {model._meta.db_table, *(each._meta.db_table for each in model._meta.all_parents)} <= tables()


def _is_configuration(model: type[models.Model]) -> bool:
    app, name = model._meta.app_label, model._meta.object_name
    return (app in ALL_BUT and name not in ALL_BUT[app]) or name in ONLY.get(app, ())
