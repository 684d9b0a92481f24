"""What the page offers to paste works when it is pasted: into real Traefik, nginx, Caddy and Envoy."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from doorward.assembly import local_ca
from peers.api import Api
from peers.browser import expect_whoami, log_in, visitor
from peers.processes import eventually, free_port, running
from peers.program import PASSWORD, Program
from peers.proxies import demonstration_application, nginx_program
from peers.questions import ask

pytestmark = pytest.mark.interop

Start = Callable[[Path, str, int, Path, Path], list[object]]
"""Writes the files of a proxy around the pasted text; answers the command that runs it."""


def traefik(folder: Path, pasted: str, port: int, chain: Path, key: Path) -> list[object]:
    (folder / "pasted.yml").write_text(
        f"{pasted}\ntls:\n  certificates:\n    - certFile: {chain}\n      keyFile: {key}\n"
    )
    (folder / "traefik.yml").write_text(
        "global: {checkNewVersion: false, sendAnonymousUsage: false}\n"
        f"entryPoints:\n  websecure:\n    address: 127.0.0.1:{port}\n"
        f"providers:\n  file:\n    filename: {folder}/pasted.yml\n"
    )
    return [Path(sys.executable).with_name("traefik"), f"--configFile={folder}/traefik.yml"]


def nginx(folder: Path, pasted: str, port: int, chain: Path, key: Path) -> list[object]:
    own = pasted.replace("/etc/ssl/pasted.localhost.pem", str(chain)).replace("/etc/ssl/pasted.localhost.key", str(key))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{''.join(f'{kind}_temp_path {folder}/{kind};' for kind in kinds)}\n{own}}}\n"
    )
    return [nginx_program(), "-p", folder, "-c", folder / "nginx.conf"]


def caddy(folder: Path, pasted: str, port: int, chain: Path, key: Path) -> list[object]:
    head, _, rest = pasted.partition("\n")
    options = f"{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {folder}/caddy\n\tpersist_config off\n}}\n"
    (folder / "Caddyfile").write_text(f"{options}{head}\n\ttls {chain} {key}\n{rest}")
    program = Path(sys.executable).with_name("caddy")
    return [program, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]


def envoy(folder: Path, pasted: str, port: int, chain: Path, key: Path) -> list[object]:
    own = pasted.replace("/etc/ssl/pasted.localhost.pem", str(chain)).replace("/etc/ssl/pasted.localhost.key", str(key))
    (folder / "envoy.yaml").write_text(own)
    return [Path(sys.executable).with_name("envoy"), "-c", folder / "envoy.yaml", "--disable-hot-restart"]


def asks_to_log_in(url: str, program: Program) -> bool:
    """The proxy has read what was pasted; before that some close the connection."""
    try:
        return ask(url, ca=program.ca).status in {302, 401}
    except OSError:
        return False


@pytest.fixture(scope="module")
def administrator(browser: Browser, program: Program) -> Iterator[Page]:
    with visitor(browser) as page:
        page.goto(f"{program.identity}/if/admin/")
        log_in(page, "akadmin", PASSWORD)
        yield page


@pytest.mark.parametrize(
    ("key", "start"),
    [("traefik-file", traefik), ("nginx-server", nginx), ("caddy-file", caddy), ("envoy-file", envoy)],
    ids=["traefik", "nginx", "caddy", "envoy"],
)
def test_paste_and_log_in(
    administrator: Page,
    browser: Browser,
    program: Program,
    api: Api,
    tmp_path: Path,
    slug: Callable[[str], str],
    key: str,
    start: Start,
) -> None:
    """Protect, copy, paste, reload: whoever opens the application logs in and is known to it."""
    port, name = free_port(), slug("pasted")
    url = f"https://pasted.localhost:{port}"
    page = administrator
    page.goto(f"{program.identity}/if/admin/protect/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Outside URL").fill(url)
    page.get_by_role("button", name="Protect it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name} is protected")

    beside = tmp_path / "leaf"
    shutil.copytree(program.ca.parent, beside, ignore=shutil.ignore_patterns("leaf.*"))
    local_ca.ensure(beside).leaf(["pasted.localhost"])
    with demonstration_application(tmp_path) as whoami:
        inside = quote(f"http://127.0.0.1:{whoami}", safe="")
        page.goto(f"{program.identity}/if/admin/protect/{name}/?application={inside}")
        assert program.plain in (page.locator(f"#{key}").text_content() or "")
        pasted = page.locator(f"#{key}").text_content() or ""
        argv = start(tmp_path, pasted, port, beside / "leaf.pem", beside / "leaf.key")
        with running(argv, log=tmp_path / "log", port=port, more={"HOME": str(tmp_path)}):
            eventually(lambda: asks_to_log_in(url, program), what="the proxy has its routes")
            with visitor(browser) as theirs:
                theirs.goto(f"{url}/wanted?page=1")
                log_in(theirs, "akadmin", PASSWORD)
                expect(theirs).to_have_url(f"{url}/wanted?page=1")
                fields = expect_whoami(theirs, "akadmin")
    assert fields["x-authentik-meta-app"] == name
    assert fields["x-authentik-jwt"].count(".") == 2
    api.delete(f"/core/applications/{name}/")
