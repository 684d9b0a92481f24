"""Colours of a brand: whatever is chosen, text can be read."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.brands import colours
from doorward.identity.brands.colours import DARK_GROUNDS, LEAST, LIGHT_GROUNDS, contrast, palette


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [((0, 0, 0), (255, 255, 255), 21.0), ((119,) * 3, (255,) * 3, 4.48)]
)
def test_contrast_is_that_of_wcag(one: colours.Rgb, other: colours.Rgb, ratio: float) -> None:
    """The ratios that its authors publish."""
    assert round(contrast(one, other), 2) == ratio
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize("accent", ["#17605a", "#0b5394", "#a32626", "#6a1b9a", "#333333", "#000000", "#5b3e00"])
def test_every_shade_can_be_read(accent: str) -> None:
    """On every ground, on its own tint, and what is written on it as well; in light and in dark."""
    made = palette(accent)

    for shades, grounds in ((made.light, LIGHT_GROUNDS), (made.dark, DARK_GROUNDS)):
        assert all(contrast(shades.accent, ground) >= LEAST for ground in (*grounds, shades.tint))
        assert contrast(shades.strong, shades.tint) >= LEAST
        assert contrast(shades.on_accent, shades.accent) >= LEAST


def test_a_colour_that_cannot_be_read_is_refused_with_one_that_can() -> None:
    """The message says how far off it is, and the colour that it names is taken."""
    with pytest.raises(ValidationError) as refused:
        palette("#ffd700")

    (message,) = refused.value.message_dict["accent"]
    assert "#ffd700" in message
    offered = message.rpartition("#")[2][:6]
    assert palette(f"#{offered}")


def test_the_dark_colour_is_judged_on_dark_pages() -> None:
    """What is good on white may be invisible on black."""
    with pytest.raises(ValidationError) as refused:
        palette("#17605a", "#17605a")

    assert list(refused.value.message_dict) == ["accent_dark"]


@pytest.mark.parametrize(
    "hostile", ["red", "#12345", "#1234567", "#17605a;}", "url(x)", "#17605A\n", "", "expression(1)", "#１７605a"]
)
def test_nothing_but_six_digits_gets_into_a_stylesheet(hostile: str) -> None:
    """No other colour syntax, no end of the declaration."""  # S-530
    with pytest.raises(ValidationError):
        palette(hostile)
