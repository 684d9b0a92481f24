"""Cookies as a proxy reads them."""

from __future__ import annotations

import time

from doorward.wire.cookies import cookie_pairs, cookies_named, set_cookie_name, without_cookies


def test_pairs_in_order_with_duplicates() -> None:
    """Every named pair, unquoted by nobody."""  # S-313
    assert cookie_pairs(b'a=1; b="x y";a=2 ; c=') == [(b"a", b"1"), (b"b", b'"x y"'), (b"a", b"2"), (b"c", b"")]
    assert cookies_named([b"a=1; b=2", b"a=3"], b"a") == [b"1", b"3"]


def test_nameless_pairs_are_no_cookies() -> None:
    """``=__Host-x=evil`` does not become ``__Host-x``."""  # S-315
    assert cookie_pairs(b"=__Host-x=evil; novalue; =; a=b") == [(b"a", b"b")]


def test_dropping_leaves_the_others_alone() -> None:
    """Byte for byte, and an empty rest is empty."""  # S-125
    assert without_cookies(b"theme=dark; sid=1;  lang=en", lambda name: name == b"sid") == b"theme=dark;  lang=en"
    assert without_cookies(b"sid=1; sid=2", lambda name: name == b"sid") == b""


def test_the_name_that_is_set() -> None:
    """Up to the first equals sign, attributes aside."""  # S-320
    assert set_cookie_name(b" a = b; Path=/") == b"a"
    assert set_cookie_name(b"novalue; x=y") == b""


def test_five_thousand_cookies_are_quick() -> None:
    """About a millisecond; the contract allows ten."""  # S-911
    value = b"; ".join([b"a=b"] * 5000)

    def took() -> float:
        start = time.process_time()
        cookie_pairs(value)
        return time.process_time() - start

    assert min(took() for _ in range(5)) < 0.010
