"""A request body is JSON and nothing that merely resembles it (S-607, S-610)."""

from __future__ import annotations

import time
from typing import Any

import pytest

BAD = {
    "nested 1000 deep": b'{"name":' + b"[" * 1000 + b"]" * 1000 + b"}",
    "nested 65 deep": b"[" * 65 + b"]" * 65,
    "nested so deep that Python gives up": b"[" * 100_000,
    "NaN": b'{"name":NaN}',
    "Infinity": b'{"name":-Infinity}',
    "a key twice": b'{"name":"a","name":"b"}',
    "1e400": b'{"num":1e400}',
    "5000 digits": b'{"num":' + b"1" * 5000 + b"}",
    "UTF-16": '{"name":"x"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"name":"x"}',
    "not UTF-8": b'{"name":"\xff"}',
    "half a surrogate pair": b'{"name":"\\ud800"}',
    "half a surrogate pair in a key": b'{"\\udfff":1}',
    "NUL": b'{"name":"a\\u0000b"}',
    "truncated": b'{"name":"x"',
    "two texts": b'{"name":"x"} {"name":"y"}',
    "single quotes": b"{'name':'x'}",
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_not_json_is_refused_quickly(admin_api: Any, kind: str) -> None:
    """400 with a reason, and nothing is created."""  # S-610
    began = time.perf_counter()
    response = admin_api.call("POST", "core/groups/", raw=BAD[kind])

    assert response.status_code == 400
    assert b"JSON parse error" in response.content
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_json_that_is_no_object_is_refused(admin_api: Any, body: bytes) -> None:
    """A list or a number is JSON, but no group."""
    assert admin_api.call("POST", "core/groups/", raw=body).status_code == 400


def test_a_body_over_one_mebibyte_is_refused(admin_api: Any) -> None:
    """413 without reading the rest."""
    body = b'{"name":"' + b"x" * (1 << 20) + b'"}'

    assert admin_api.call("POST", "core/groups/", raw=body).status_code == 413


def test_real_json_of_every_kind_is_kept(admin_api: Any) -> None:
    """Attributes come back as they were sent."""
    attributes: dict[str, Any] = {"n": None, "b": [True, False], "i": -(2**53), "f": 1.5, "s": "😀", "o": {"": {}}}
    group = admin_api.post("core/groups/", {"name": "staff", "attributes": attributes})

    assert admin_api.get(f"core/groups/{group['pk']}/")["attributes"] == attributes
