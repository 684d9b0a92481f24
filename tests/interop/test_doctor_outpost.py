"""``doorward doctor`` in front of a real proxy and an outpost on its own: what is wrong behind the proxy."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from doorward.assembly import local_ca
from doorward.doctor.examination import Examination
from doorward.doctor.findings import FAULT, Finding
from peers.openid_provider import CLIENT, SECRET, Provider, serving
from peers.outpost_program import outpost
from peers.processes import free_port
from peers.program import Program
from peers.proxies import Front, nginx, traefik

pytestmark = pytest.mark.interop

BEHIND = -400
"""Seconds of a wrong clock."""
CLOCK = f"""\
import time
_true = time.time
time.time = lambda: _true() + {BEHIND}
"""


@dataclass(frozen=True)
class Case:
    """One mistake. ``changes``: texts of the outpost's configuration and what stands there instead."""

    name: str
    expected: set[str]
    proxy: Callable[[Program, Path, str], AbstractContextManager[Front]] = traefik
    changes: Mapping[str, str] = field(default_factory=dict)
    resolve: Mapping[str, str] = field(default_factory=dict)
    wrong_clock: bool = False


CASES = (
    Case("right", set()),
    Case("untrusted-traefik", {"proxy_not_trusted"}, traefik, {"trustedProxies: [127.0.0.1]": "trustedProxies: []"}),
    Case("untrusted-nginx", {"proxy_not_trusted"}, nginx, {"trustedProxies: [127.0.0.1]": "trustedProxies: []"}),
    Case("late", {"clock_skew"}, wrong_clock=True),
    Case(
        "issuer-away",
        {"issuer_unreachable_from_outpost"},
        changes={"connect: 127.0.0.1:{issuer}": "connect: 127.0.0.1:1"},
    ),
    Case("issuer-unknown", {"unreachable", "issuer_unreachable"}, resolve={"id.localhost": "127.0.0.99"}),
    Case(
        "issuer-nowhere",
        {"dns", "issuer_unreachable"},
        changes={"http://id.localhost:{issuer}": "http://id.invalid:{issuer}"},
    ),
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with serving(free_port()) as provider:
        yield provider


@contextlib.contextmanager
def standing(issuer: Provider, folder: Path, case: Case) -> Iterator[tuple[Front, Path]]:
    """The proxy in front, and the authority that its certificate is of."""
    stands = Program(folder / "program", identity_port=free_port())
    local_ca.ensure(stands.ca.parent)
    port = issuer.origin.rpartition(":")[2]
    if "id.invalid" in "".join(case.changes.values()):
        issuer.origin, issuer.issuer = f"http://id.invalid:{port}", f"http://id.invalid:{port}/realms/main"
    with case.proxy(stands, folder, f"{case.name}.localhost") as front:
        text = dedent(f"""\
            listen: "127.0.0.1:{stands.identity_port}"
            trustedProxies: [127.0.0.1]
            issuer:
              url: http://id.localhost:{port}/realms/main
              clientId: {CLIENT}
              clientSecret: "{SECRET}"
              allowHttp: true
              connect: 127.0.0.1:{port}
            applications:
              app:
                externalUrl: {front.url}
                allow: {{groups: [staff]}}
            cookie: {{secret: 0123456789abcdef0123456789abcdef}}
            """)
        for written, here in case.changes.items():
            old = written.replace("{issuer}", port)
            assert old in text, old
            text = text.replace(old, here.replace("{issuer}", port))
        path = os.environ.get("PYTHONPATH", "")
        if case.wrong_clock:
            (folder / "clock").mkdir()
            (folder / "clock" / "sitecustomize.py").write_text(CLOCK)
            path = f"{folder}/clock:{path}".rstrip(":")
        known = "issuer_unreachable_from_outpost" not in case.expected
        with outpost(folder, stands.identity_port, text, ready=known, PYTHONPATH=path):
            yield front, stands.ca


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fault_is_named(issuer: Provider, tmp_path: Path, case: Case) -> None:
    """One mistake behind a proxy that is right, found from outside."""
    origin, identifier = issuer.origin, issuer.issuer
    try:
        with standing(issuer, tmp_path, case) as (front, ca):
            findings = examined(f"{front.url}/a/page", ca, case.resolve)
    finally:
        issuer.origin, issuer.issuer = origin, identifier

    faults = {finding.code for finding in findings if finding.verdict == FAULT}
    assert faults == case.expected, findings
    assert all(finding.remedy for finding in findings if finding.verdict == FAULT)


def examined(url: str, ca: Path, resolve: Mapping[str, str]) -> list[Finding]:
    async def all_of_them() -> list[Finding]:
        return [finding async for finding in Examination(url, "", "", ca.read_text(), resolve).findings()]

    with ThreadPoolExecutor(1) as thread:  # a browser's event loop may run in this one
        return thread.submit(lambda: asyncio.run(all_of_them())).result()
