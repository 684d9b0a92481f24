"""The colours of a brand: one accent for light pages and one for dark ones, everything else follows from them.

They are the only thing that an operator can put into a stylesheet, so they are six hexadecimal digits and nothing else
(S-530). Text stays readable whatever is chosen: an accent must stand out from every ground that it is drawn on by
WCAG's 4.5 to 1, else it is refused together with one that would do. What is written on it is black or white, whichever
is read better.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

Rgb = tuple[int, int, int]

LEAST = 4.5
"""WCAG 2.2, 1.4.3: contrast of text at level AA."""
_HEX = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
WHITE, BLACK, INK = (255, 255, 255), (0, 0, 0), (11, 17, 16)
LIGHT_GROUNDS: tuple[Rgb, ...] = ((255, 255, 255), (243, 246, 245), (238, 242, 241))
DARK_GROUNDS: tuple[Rgb, ...] = ((24, 33, 31), (17, 24, 23), (13, 19, 18))
"""What ``doorward.css`` calls surface, ground and sunken."""


@dataclass(frozen=True, slots=True)
class Shades:
    """What one accent becomes on light or on dark pages."""

    accent: Rgb
    strong: Rgb
    on_accent: Rgb
    tint: Rgb


@dataclass(frozen=True, slots=True)
class Palette:
    light: Shades
    dark: Shades

    def declarations(self) -> str:
        """The custom properties of the design, as ``doorward.css`` names them."""
        pairs = (
            ("--accent", self.light.accent, self.dark.accent),
            ("--accent-strong", self.light.strong, self.dark.strong),
            ("--on-accent", self.light.on_accent, self.dark.on_accent),
            ("--tint", self.light.tint, self.dark.tint),
        )
        return " ".join(f"{name}: light-dark({_hex(light)}, {_hex(dark)});" for name, light, dark in pairs)


def palette(accent: str, accent_dark: str = "") -> Palette:
    """The palette of these accents; the second follows from the first where it is empty.

    Raises ValidationError by field (``accent``, ``accent_dark``).
    """
    light = _rgb("accent", accent)
    dark = _rgb("accent_dark", accent_dark) if accent_dark else _readable(light, DARK_GROUNDS, WHITE)
    _require("accent", light, LIGHT_GROUNDS, BLACK)
    _require("accent_dark", dark, DARK_GROUNDS, WHITE)
    return Palette(
        Shades(light, _mixed(light, BLACK, 0.25), _on(light), _tint(light, LIGHT_GROUNDS)),
        Shades(dark, _mixed(dark, WHITE, 0.3), _on(dark), _tint(dark, DARK_GROUNDS)),
    )


def _rgb(field: str, text: str) -> Rgb:
    if not _HEX.fullmatch(text):
        raise ValidationError({field: [_("A colour like #17605a: six hexadecimal digits.")]})
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _require(field: str, accent: Rgb, grounds: tuple[Rgb, ...], towards: Rgb) -> None:
    found = _least(accent, grounds)
    if found >= LEAST:
        return
    text = (
        _("%(colour)s cannot be read on light pages: its contrast is %(found)s to 1, and 4.5 is needed. %(other)s is.")
        if field == "accent"
        else _(
            "%(colour)s cannot be read on dark pages: its contrast is %(found)s to 1, and 4.5 is needed. %(other)s is."
        )
    )
    other = _hex(_readable(accent, grounds, towards))
    raise ValidationError({field: [text % {"colour": _hex(accent), "found": f"{found:.1f}", "other": other}]})


def _readable(accent: Rgb, grounds: tuple[Rgb, ...], towards: Rgb) -> Rgb:
    """The nearest to ``accent`` that can be read, on the way to black or white."""
    steps = (_mixed(accent, towards, step / 50) for step in range(51))
    return next((colour for colour in steps if _least(colour, grounds) >= LEAST), towards)


def _least(accent: Rgb, grounds: tuple[Rgb, ...]) -> float:
    return min(contrast(accent, ground) for ground in (*grounds, _tint(accent, grounds)))


def _tint(accent: Rgb, grounds: tuple[Rgb, ...]) -> Rgb:
    return _mixed(grounds[0], accent, 0.08)


def _on(accent: Rgb) -> Rgb:
    return max((WHITE, INK), key=lambda colour: contrast(colour, accent))


def contrast(one: Rgb, other: Rgb) -> float:
    """WCAG 2.2's ratio, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _hex(colour: Iterable[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
