"""Options of entry points as an operator writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.test_static import load, problems
from doorward.config import listening
from doorward.messages.entry_points import EntryPoint
from doorward.sources.warnings import static_warnings


def web(tmp_path: Path, options: str, more: str = "") -> EntryPoint:
    static = load(tmp_path, f'entryPoints: {{web: {{address: ":80", {options}}}}}\n{more}')
    (point,) = listening.entry_points(static)
    return point


def test_every_option_reaches_the_workers(tmp_path: Path) -> None:
    """Nothing that can be written is forgotten on the way."""
    point = web(
        tmp_path,
        "proxyProtocol: {trustedIPs: ['10.0.0.0/8']}, "
        "forwardedHeaders: {connection: [X-Hop], notAppendXForwardedFor: true}, http: {tls: {options: strict}}, "
        "transport: {keepAliveMaxRequests: 100, keepAliveMaxTime: 1h, respondingTimeouts: {readTimeout: 90s}, "
        "lifeCycle: {requestAcceptGraceTimeout: 5s}}",
    )

    assert point.proxy_protocol_ips == ("10.0.0.0/8",)
    assert point.listed_fields_kept == ("x-hop",)
    assert not point.append_forwarded_for
    assert (point.tls, point.tls_options) == (True, "strict@file")
    assert (point.keep_alive_max_requests, point.keep_alive_max_time) == (100, 3600.0)
    assert (point.read_header_timeout, point.request_timeout) == (10.0, 90.0)
    assert point.accept_grace == 5.0


def test_the_grace_holds_both_times(tmp_path: Path) -> None:
    """Nobody is killed while he still accepts."""
    static = load(
        tmp_path,
        'entryPoints: {web: {address: ":80", transport: {lifeCycle: '
        "{requestAcceptGraceTimeout: 5s, graceTimeOut: 20}}}}",
    )

    assert listening.grace(static) == 25.0


def test_the_chain_may_be_left_alone_everywhere(tmp_path: Path) -> None:
    """One switch for all entry points."""
    assert not web(tmp_path, "asDefault: true", "global: {notAppendXForwardedFor: true}").append_forwarded_for
    assert web(tmp_path, "asDefault: true").append_forwarded_for


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("http: {sanitizePath: false}", "cannot be false: dot segments and doubled slashes are always taken out"),
        ("http: {encodedCharacters: {allowEncodedSlsh: true}}", "did you mean 'allowEncodedSlash'?"),
        ("proxyProtocol: {}", "believes nobody: list trustedIPs"),
        ("proxyProtocol: {trustedIPs: [unix]}", "must be an IP address or a network"),
        ("proxyProtocol: {trustedIPs: [10.0.0.0/33]}", "must be an IP address or a network"),
        ("transport: {keepAliveMaxRequests: -1}", "keepAliveMaxRequests"),
        ("http: {tls: {certResolver: x}}", "Doorward does not support it yet"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, options: str, told: str) -> None:
    """With the reason and the nearest name that exists."""
    (problem,) = problems(tmp_path, f'entryPoints: {{web: {{address: ":80", {options}}}}}')

    assert told in problem


def test_believing_everybody_is_told(tmp_path: Path) -> None:
    """A header that anybody may write is no fact."""
    static = load(tmp_path, 'entryPoints: {web: {address: ":80", proxyProtocol: {insecure: true}}}')
    (warning,) = static_warnings(static, listening.entry_points(static))

    assert "proxyProtocol.insecure: anybody can pretend any address" in warning
