"""How a brand looks: what its free-form attributes and addresses come to, after everything unsafe is left out.

``attributes.settings.theme`` has ``base`` (automatic, light or dark, as in authentik), ``accent`` and ``accent_dark``.
They are checked when they are written; here a value that is no good (an older row, an import) simply does not count,
because a page must be drawn in any case.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from doorward.identity.brands import colours, pictures
from doorward.identity.brands.models import Brand

THEMES = ("automatic", "light", "dark")
_SCHEMES = {"light": "light", "dark": "dark"}


@dataclass(frozen=True, slots=True)
class Look:
    """What a page needs of a brand."""

    title: str
    logo: str
    """Address of a picture; empty for our own mark."""
    favicon: str
    scheme: str
    """``color-scheme``."""
    style: str
    """A stylesheet; empty where nothing differs from the design."""

    @property
    def style_version(self) -> str:
        """Changes with the stylesheet, so that browsers may keep it."""
        return hashlib.sha256(self.style.encode()).hexdigest()[:16] if self.style else ""

    @property
    def origins(self) -> tuple[str, ...]:
        """Where pictures are fetched from besides this host."""
        found = (pictures.origin_of(address) for address in (self.logo, self.favicon))
        return tuple(dict.fromkeys(filter(None, found)))


def look_of(brand: Brand) -> Look:
    scheme = _SCHEMES.get(setting(brand, "theme", "base"), "light dark")
    return Look(
        title=brand.branding_title,
        logo=pictures.shown(brand.branding_logo),
        favicon=pictures.shown(brand.branding_favicon),
        scheme=scheme,
        style=_style(brand, scheme),
    )


def _style(brand: Brand, scheme: str) -> str:
    forced = "" if scheme == "light dark" else f"color-scheme: {scheme}; "
    declarations = (forced + declarations_of(brand)).strip()
    return f":root {{ {declarations} }}\n" if declarations else ""


def preview_style(brand: Brand) -> str:
    """Its colours, for what is inside ``.brand-preview`` alone."""
    declarations = declarations_of(brand)
    return f".brand-preview {{ {declarations} }}\n" if declarations else ""


def declarations_of(brand: Brand) -> str:
    """The custom properties of its colours; empty where it has none."""
    accent = setting(brand, "theme", "accent")
    if not accent:
        return ""
    try:
        return colours.palette(accent, setting(brand, "theme", "accent_dark")).declarations()
    except ValidationError:
        return ""


def setting(brand: Brand, *path: str) -> str:
    """A text in ``attributes.settings``; empty where there is none."""
    found: Any = brand.attributes
    for name in ("settings", *path):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
