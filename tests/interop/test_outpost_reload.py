"""A running ``doorward outpost`` is told to read its configuration again, and is started while its issuer is away."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers.openid_provider import CLIENT, SECRET, Provider, serving
from peers.outpost_program import outpost
from peers.processes import eventually, free_port
from peers.proxies import demonstration_application
from peers.questions import Answer, ask
from security.visitor import Visitor

pytestmark = pytest.mark.interop

KEY = "0123456789abcdef0123456789abcdef"


class Stage:
    """An issuer, an application, and what the outpost between them is configured with."""

    def __init__(self, folder: Path, issuer: Provider, whoami: int) -> None:
        self.folder, self.issuer, self.whoami = folder, issuer, whoami
        self.port = free_port()
        self.file = folder / "outpost.yml"

    def text(self, *names: str, allow: str = "staff", more: str = "") -> str:
        applications = "".join(
            f"""
  {name}:
    externalUrl: http://{name}.localhost:{self.port}
    upstreams: [{{url: "http://127.0.0.1:{self.whoami}"}}]
    allow: {{groups: [{allow}]}}"""
            for name in names
        )
        return f"""\
listen: "127.0.0.1:{self.port}"
issuer:
  url: {self.issuer.issuer}
  clientId: {CLIENT}
  clientSecret: "{SECRET}"
  scopes: [openid, profile, email, offline_access]
  connect: 127.0.0.1:{self.issuer.origin.rpartition(":")[2]}
applications:{applications}
state: {self.folder}/state
cookie: {{secret: {KEY}}}
{more}"""

    def url(self, name: str, path: str = "/") -> str:
        return f"http://{name}.localhost:{self.port}{path}"

    def get(self, name: str) -> Answer:
        return ask(self.url(name), headers=[("Accept", "text/html")])

    def hang_up(self) -> None:
        os.kill(int((self.folder / "state" / "run" / "doorward.pid").read_text()), signal.SIGHUP)

    def logged_in(self, name: str) -> Visitor:
        visitor = Visitor(self.file)  # no certificate is looked at over plain HTTP
        place, page = visitor.open(self.url(name))
        place, page = visitor.submit(place, page)
        assert (place, page.status) == (self.url(name), 200), (place, page)
        return visitor


@pytest.fixture(scope="module")
def whoami(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with demonstration_application(tmp_path_factory.mktemp("whoami")) as port:
        yield port


def test_the_configuration_is_read_again(tmp_path: Path, whoami: int) -> None:
    """A new application is there, a login lives on; a broken file is named by its line and changes nothing; who may
    enter no longer is out; an option that needs a restart is named."""
    with serving(free_port()) as issuer:
        stage = Stage(tmp_path, issuer, whoami)
        with outpost(tmp_path, stage.port, stage.text("wiki")) as log:
            visitor = stage.logged_in("wiki")
            assert stage.get("blog").status == 404

            stage.file.write_text(stage.text("wiki", "blog"))
            stage.hang_up()
            eventually(lambda: stage.get("blog").status == 302, within=60, what="the new application is served")
            assert visitor.get(stage.url("wiki")).status == 200

            stage.file.write_text(stage.text("wiki", "blog").replace("clientId", "clientIdd"))
            stage.hang_up()
            eventually(lambda: "outpost.yml:4" in log.read_text(), within=60, what="the wrong line is named")
            assert "everything stays as it was" in log.read_text()
            assert stage.get("blog").status == 302
            assert visitor.get(stage.url("wiki")).status == 200

            changed = stage.text("wiki", allow="admins").replace(f'"127.0.0.1:{stage.port}"', '"127.0.0.1:1"')
            stage.file.write_text(changed)
            stage.hang_up()
            eventually(lambda: stage.get("blog").status == 404, within=60, what="the application is gone")
            assert visitor.get(stage.url("wiki")).status == 302
            assert "in force after a restart only: listen" in log.read_text()


def test_another_issuer_and_another_secret(tmp_path: Path, whoami: int) -> None:
    """Sessions of the former issuer are none of the new one; with the old secret among the previous ones nobody is
    logged out."""
    with serving(free_port()) as issuer, serving(free_port()) as other:
        stage = Stage(tmp_path, issuer, whoami)
        with outpost(tmp_path, stage.port, stage.text("wiki")) as log:
            visitor = stage.logged_in("wiki")
            rotated = stage.text("wiki").replace(f"secret: {KEY}", f"secret: {'n' * 32}, previousSecrets: [{KEY}]")
            stage.file.write_text(rotated)
            stage.hang_up()
            eventually(lambda: log.read_text().count("read again") == 1, within=60, what="it was read again")
            assert visitor.get(stage.url("wiki")).status == 200

            stage.issuer = other
            stage.file.write_text(stage.text("wiki"))
            stage.hang_up()
            eventually(
                lambda: (stage.get("wiki").all("Location") or [""])[0].startswith(other.origin),
                within=60,
                what="people are sent to the other issuer",
            )
            assert visitor.get(stage.url("wiki")).status == 302


def test_a_restart_while_the_issuer_is_away(tmp_path: Path, whoami: int) -> None:
    """Known sessions are served as before and the program is ready; a stranger is told to wait until it is back."""
    # S-336
    issuer_port = free_port()
    with serving(issuer_port) as issuer:
        stage = Stage(tmp_path, issuer, whoami)
        with outpost(tmp_path, stage.port, stage.text("wiki")):
            visitor = stage.logged_in("wiki")
    with outpost(tmp_path, stage.port, stage.text("wiki")):
        assert visitor.get(stage.url("wiki")).status == 200
        refused = stage.get("wiki")
        assert refused.status == 503
        assert "The identity provider does not answer" in refused.text
        with serving(issuer_port):
            eventually(lambda: stage.get("wiki").status == 302, within=60, what="one can log in again")
