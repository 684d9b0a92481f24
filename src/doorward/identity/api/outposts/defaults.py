"""An outpost's ``config`` as the original knows it (``contracts/outpost.md`` section 12.5)."""

from __future__ import annotations

from typing import Any

DEFAULT_CONFIG: dict[str, Any] = {
    "authentik_host": "",
    "authentik_host_insecure": False,
    "authentik_host_browser": "",
    "log_level": "info",
    "object_naming_template": "ak-outpost-%(name)s",
    "refresh_interval": "minutes=5",
}
