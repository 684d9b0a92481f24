"""The first administrator's wishes, from the environment."""

from __future__ import annotations

import os

from doorward.messages.plan import IdentityPlan


def identity_plan(external_url: str, port: int, database: str = "") -> IdentityPlan:
    """With ``DOORWARD_BOOTSTRAP_PASSWORD``, ``_TOKEN`` and ``_EMAIL``, which count on the first start only."""
    return IdentityPlan(
        external_url=external_url.rstrip("/"),
        port=port,
        database=database,
        bootstrap_password=os.environ.get("DOORWARD_BOOTSTRAP_PASSWORD", ""),
        bootstrap_token=os.environ.get("DOORWARD_BOOTSTRAP_TOKEN", ""),
        bootstrap_email=os.environ.get("DOORWARD_BOOTSTRAP_EMAIL", ""),
    )
