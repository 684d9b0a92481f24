"""The demonstration, as somebody meets it who has just typed ``make demo``."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from math import inf
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, Playwright, expect

from peers.api import Api
from peers.browser import LOGIN_PAGE, chromium, expect_whoami, log_in, shown, sign_out, visitor
from peers.processes import descendants, environment, eventually
from peers.program import DOORWARD, EMAIL, PASSWORD, TOKEN, Program
from peers.questions import ask

pytestmark = pytest.mark.journey


def test_log_in_see_the_identity_headers_sign_out_and_be_asked_again(page: Page, program: Program) -> None:
    """Chromium opens whoami, logs in, lands there with the identity headers; signs out; is asked again."""
    page.goto(f"{program.whoami}/hello?from=journey")
    log_in(page, "akadmin", PASSWORD)

    expect(page).to_have_url(f"{program.whoami}/hello?from=journey")
    fields = expect_whoami(page, "akadmin")
    assert fields["x-authentik-email"] == EMAIL
    assert "authentik Admins" in fields["x-authentik-groups"].split("|")
    assert fields["x-authentik-jwt"].count(".") == 2
    assert fields["x-authentik-meta-outpost"] == "authentik Embedded Outpost"
    assert fields["x-authentik-meta-app"]
    assert len(fields["x-authentik-uid"]) == 64

    sign_out(page, program.whoami)
    page.goto(program.whoami)
    expect(page).to_have_url(LOGIN_PAGE)


def test_plain_http_leads_to_the_same_place(page: Page, program: Program) -> None:
    """Whoever types the address without https is brought to the https one."""
    page.goto(f"http://whoami.localhost:{program.http_port}/")

    log_in(page, "akadmin", PASSWORD)
    expect(page).to_have_url(f"{program.whoami}/")


def test_a_wrong_password_says_so_and_lets_one_try_again(page: Page, program: Program) -> None:
    """A typing error costs a moment, not the way: the second try lands on whoami."""
    page.goto(program.whoami)
    page.locator("input[name=uid_field]").fill("akadmin")
    page.keyboard.press("Enter")
    page.locator("input[name=password]").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Invalid password")).to_be_visible()

    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{program.whoami}/")
    expect_whoami(page, "akadmin")


def test_the_application_does_not_see_our_cookies(page: Page, program: Program) -> None:
    """The session is ours: the application gets identity headers, not the cookie that proves them."""
    page.goto(program.whoami)
    log_in(page, "akadmin", PASSWORD)

    assert any(cookie["name"].startswith("authentik_proxy_") for cookie in page.context.cookies())
    assert "authentik_proxy_" not in shown(page)


def test_the_panel_tells_where_to_go_and_how_to_log_in(own_program: Program, tmp_path: Path) -> None:
    """Without --json a person reads addresses, name and password, and Ctrl-C ends everything."""
    password = "a-password-of-my-own"
    panel = tmp_path / "panel"
    with panel.open("wb") as output:
        process = subprocess.Popen(
            own_program.demo(),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(DOORWARD_BOOTSTRAP_PASSWORD=password),
        )
    try:
        eventually(lambda: password in panel.read_text(), within=60, what="the panel is printed")
        text = panel.read_text()
        assert own_program.whoami in text
        assert own_program.identity in text
        assert "akadmin" in text
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_the_line_of_json_has_what_a_script_needs(program: Program) -> None:
    """Addresses, credentials, authority, folder and process id, on one line."""
    assert program.told["urls"] == {
        "whoami": program.whoami,
        "identity": program.identity,
        "identity_plain": program.plain,
    }
    assert program.told["username"] == "akadmin"
    assert program.told["password"] == PASSWORD
    assert program.told["token"] == TOKEN
    assert program.told["ca"] == str(program.ca)
    assert program.told["data"] == str(program.data)
    assert program.told["pid"] == program.pid


@pytest.mark.parametrize("path", ["/-/health/ready/", "/-/health/live/"])
def test_health_answers_while_it_runs(program: Program, path: str) -> None:
    """A supervisor asks either path: 200 without a body."""
    assert program.ask(path).status == 200
    assert program.ask(path).body == b""
    assert program.ask(path, method="HEAD").status in {200, 204}


def test_the_whole_tree_idles_within_its_weight(own_program: Program) -> None:
    """All processes together, by proportional set size; how soon they are ready is measured in bench/."""
    own_program.workers = 1  # as the demonstration runs when nobody says otherwise
    own_program.start()

    def kilobytes() -> float:
        rolls = [Path(f"/proc/{pid}/smaps_rollup") for pid in (own_program.pid, *descendants(own_program.pid))]
        try:
            lines = [line for roll in rolls for line in roll.read_text().splitlines()]
        except OSError:  # one of them ended while we looked
            return inf
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))

    # Soon: what was needed for the start only is given back.
    eventually(lambda: kilobytes() < 120 * 1000, within=20, what="it is light")
    own_program.stop()


def test_state_is_kept_between_runs_and_reset_starts_afresh(own_program: Program) -> None:
    """A group made in the first run is there in the second, and gone after --reset."""
    Api(own_program.start()).group("kept")
    own_program.stop()
    assert Api(own_program.start()).first("/core/groups/", name="kept")
    own_program.stop()

    process = subprocess.Popen(
        own_program.demo("--json", "--reset"),
        stdout=subprocess.PIPE,
        env=environment(DOORWARD_BOOTSTRAP_TOKEN=TOKEN, DOORWARD_BOOTSTRAP_PASSWORD=PASSWORD),
    )
    try:
        assert process.stdout
        assert json.loads(process.stdout.readline())["pid"] == process.pid
        assert Api(own_program).get("/core/groups/", name="kept")["results"] == []
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stdout
        process.stdout.close()


def tried(program: Program) -> subprocess.CompletedProcess[str]:
    """A start that should fail."""
    return subprocess.run(program.demo(), env=environment(), capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("which", ["http_port", "https_port", "identity_port"])
def test_a_used_port_is_a_clear_error(own_program: Program, which: str) -> None:
    """The message names the port, and nothing is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", getattr(own_program, which)))
        taken.listen()
        refused = subprocess.run(
            own_program.demo(), env=environment(), capture_output=True, text=True, timeout=60, check=False
        )

    assert refused.returncode != 0
    assert str(getattr(own_program, which)) in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_unwritable_folder_is_a_clear_error(own_program: Program) -> None:
    """The message names the folder, for root too (a file stands where a folder should be)."""
    own_program.folder.parent.mkdir(exist_ok=True)
    own_program.folder.write_text("")
    refused = subprocess.run(
        own_program.demo(), env=environment(), capture_output=True, text=True, timeout=60, check=False
    )

    assert refused.returncode != 0
    assert str(own_program.data) in refused.stderr
    assert "Traceback" not in refused.stderr


def test_ca_prints_the_certificate_that_signs(program: Program) -> None:
    """``doorward ca`` gives what curl --cacert wants."""
    printed = subprocess.run(
        [DOORWARD, "ca", "--data", program.data], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert program.ca.read_text().strip() in printed
    assert ask(program.whoami, ca=program.ca, headers=[("Accept", "text/html")]).status == 302


def test_the_wheel_tells_its_version() -> None:
    """``doorward --version`` answers at once."""
    said = subprocess.run([DOORWARD, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout

    assert said.strip().endswith("0.1.0")


def test_without_trust_the_browser_still_meets_a_certificate_for_the_right_name(
    playwright: Playwright, program: Program, tmp_path: Path
) -> None:
    """Before the authority is installed a browser warns about who signed it and about nothing else."""
    other = tmp_path / "other"
    shutil.copytree(program.ca.parent, other)
    for file in other.iterdir():
        file.unlink()
    with (
        chromium(playwright, tmp_path / "home", other) as browser,
        visitor(browser) as page,
        pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"),
    ):
        page.goto(program.whoami)


def test_the_console_script_is_the_one_beside_this_python() -> None:
    """The tests run what ``make venv`` installed."""
    assert Path(sys.executable).with_name("doorward") == DOORWARD
    assert DOORWARD.exists()
