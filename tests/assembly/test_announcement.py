"""What the person who starts the program is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.assembly.announcement import Announcer
from doorward.config import listening
from doorward.config.decode import read_document
from doorward.config.static import decode_static
from doorward.messages.plan import DemoPlan, IdentityPlan, Plan

IDENTITY = "identity: {externalUrl: 'https://auth.example.test'}\n"


def plan(folder: Path, text: str, demo: DemoPlan | None = None) -> Plan:
    (folder / "doorward.yml").write_text(IDENTITY + text)
    static = decode_static(read_document(folder / "doorward.yml"))
    points = listening.entry_points(static)
    return Plan(str(folder), "", points, IdentityPlan("https://auth.example.test", 9000), demo=demo)


@pytest.mark.parametrize("demo", [None, DemoPlan(1, "https://whoami.localhost:8443")])
@pytest.mark.parametrize(
    ("entry_point", "said"),
    [
        ("", True),
        ("{address: ':9000'}", True),
        ("{address: ':9000', forwardedHeaders: {trustedIPs: [10.0.0.9]}}", False),
        ("{address: '127.0.0.1:9000'}", False),
    ],
)
def test_whom_the_identity_entry_point_believes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], entry_point: str, said: bool, demo: DemoPlan | None
) -> None:
    """The default is for proxies beside it, and whoever did not choose it hears of it at every start."""
    # S-129
    text = f"entryPoints: {{identity: {entry_point}, web: {{address: ':80'}}}}\n" if entry_point else ""

    Announcer(plan(tmp_path, text, demo)).ready()

    heard = "".join(capsys.readouterr())
    assert ("loopback and private addresses" in heard) is said
    assert ("trustedIPs" in heard) is said
