"""base64url has one spelling for each byte string."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.tokens import base64url


@given(st.binary(max_size=100))
def test_round_trip(data: bytes) -> None:
    """What is encoded is decoded, from text and from bytes."""
    assert base64url.decode(base64url.encode(data)) == data
    assert base64url.decode(base64url.encode(data).encode()) == data


@pytest.mark.parametrize("text", ["A", "AB", "AA=", "AA==", "A A", "AA\n", "A+A", "A/A", "AAA=", "ÄA", "AA.", "AAAAA"])
def test_other_spellings_are_refused(text: str) -> None:
    """Padding, white space, the other alphabet, left-over bits: none is repaired."""  # S-435
    with pytest.raises(ValueError, match="base64url"):
        base64url.decode(text)
