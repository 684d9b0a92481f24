"""One spelling for every path (security contract, room C)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.wire.path import BadPath, canonical_path, has_sensitive_escape


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (b"/", b"/"),
        (b"/a/b", b"/a/b"),
        (b"/a/b/", b"/a/b/"),
        (b"/health/../admin", b"/admin"),  # S-203
        (b"/./admin", b"/admin"),
        (b"/a/b/../../admin", b"/admin"),
        (b"//admin", b"/admin"),
        (b"//evil.test/a", b"/evil.test/a"),  # S-225
        (b"/%61dmin", b"/admin"),  # S-204
        (b"/health%2e", b"/health."),
        (b"/%2e%2e/x", b"/x"),
        (b"/..%2f..", b"/..%2F.."),
        (b"/a%2Fb%5cc%3b%25%3f%23", b"/a%2Fb%5Cc%3B%25%3F%23"),  # S-205
        (b"/health/..;/admin", b"/health/..;/admin"),  # S-207
        (b"/a/..", b"/"),
        (b"/a/b/..", b"/a/"),
        (b"/a/.", b"/a/"),
        (b"/..", b"/"),
        (b"/../../..//", b"/"),
        (b"/.well-known/x", b"/.well-known/x"),
        (b"/...", b"/..."),
        (b"/a//b///c", b"/a/b/c"),
        (b"/\xc3\xa9", b"/%C3%A9"),
        (b"/%7e%41%2D", b"/~A-"),
    ],
)
def test_the_canonical_form(raw: bytes, canonical: bytes) -> None:
    """Escapes of unreserved bytes are undone, dot segments and doubled slashes are gone."""
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize("raw", [b"/%", b"/%f", b"/%zz", b"/a%2", b"/%00", b"/%0d%0aSet-Cookie:x", b"/%7f"])
def test_broken_escapes_and_controls_are_refused(raw: bytes) -> None:
    """No escape is repaired, and no control byte is let in by one."""  # S-202 S-205 S-210
    with pytest.raises(BadPath):
        canonical_path(raw)


@given(st.text(alphabet="/.%25eEaA2fF;é", max_size=40))
def test_canonical_is_final(text: str) -> None:
    """Canonicalising again changes nothing, so nothing can hide behind a second look."""  # S-201
    try:
        once = canonical_path(b"/" + text.encode("latin-1"))
    except BadPath:
        return

    assert canonical_path(once) == once
    assert b"//" not in once
    assert not {b".", b".."} & set(once.split(b"/"))


@pytest.mark.parametrize("raw", [b"/.." * 2700, b"/%2e%2e" * 1100, b"/" * 8000, b"/a" * 4000, b"%2e" * 2700])
def test_linear_time(raw: bytes) -> None:
    """A path made to be slow takes less than five milliseconds."""  # S-234
    path = b"/" + raw
    took = min(_time(path) for _ in range(5))

    assert took < 0.005


def _time(path: bytes) -> float:
    start = time.process_time()
    canonical_path(path)
    return time.process_time() - start


def test_sensitive_escapes_are_told() -> None:
    """Bytes that some application takes for separators, when escaped."""  # S-205
    assert all(has_sensitive_escape(b"/a%" + code) for code in (b"2F", b"5C", b"3B", b"25", b"3F", b"23"))
    assert not has_sensitive_escape(b"/a%20b")
