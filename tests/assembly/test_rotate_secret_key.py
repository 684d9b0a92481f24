"""``doorward rotate-secret-key``: a new key under everything, whatever interrupts it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from doorward.tokens.secret_key import read_secret_keys
from peers.processes import environment
from peers.program import DOORWARD

SETUP = """
import json, os, sys
from pathlib import Path
from doorward.assembly.identity_process import set_environment
from doorward.assembly.state_folder import StateFolder
from doorward.cli.plans import plan_of
folder = Path(sys.argv[1])
plan, place = plan_of(folder / "doorward.yml"), StateFolder(folder, folder / "run")
set_environment(plan, place)
"""
FILL = (
    SETUP
    + """
from doorward.identity import bootstrap
bootstrap.prepare(bootstrap.Bootstrap("correct-horse-battery-9", None, None))
from datetime import timedelta
from django.utils import timezone
from doorward.identity.authenticators import actions, recovery_codes, totp
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.actions import create_token
from doorward.identity.events.actor import Actor
from doorward.identity.logins.session_store import SessionStore, USER_KEY
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.outposts import actions as outposts
from doorward.identity.outposts.models import ProxyProvider, StoredSession
from doorward.identity.crypto import vault
from doorward.identity.rpc.sessions import place as place_of
system, user = Actor.system(), User.objects.get(username="akadmin")
outposts.protect(system, name="wiki", slug="wiki", external_host="https://wiki.example.test")
provider = ProxyProvider.objects.get(application__slug="wiki")
device = actions.add_totp(system, user, name="App", seed="JBSWY3DPEHPK3PXP", digits=6, used_step=0)
codes = recovery_codes.generate()
actions.set_recovery_codes(system, user, codes, name="Paper")
create_token(system, user=user, identifier="robot", intent=Token.Intent.API, expiring=False, key="k" * 60)
browser = SessionStore()
browser["remembered"] = "colour"
browser.begin_login(user, ("pwd",), None)
browser.save()
StoredSession.objects.create(
    id_hash="ab" * 32, provider=provider, user=user, subject="s", sid="i", created=timezone.now(),
    sealed=vault.seal_bytes(b"session", place_of("ab" * 32)), expires=timezone.now() + timedelta(days=1),
)
facts = {
    "uid": user.uid, "seed": "JBSWY3DPEHPK3PXP", "codes": codes, "cookie": browser.session_key,
    "client": provider.client_secret, "pepper": provider.cookie_secret,
}
(folder / "facts.json").write_text(json.dumps(facts))
"""
)
KILLED = (
    SETUP
    + """
import signal
from doorward.assembly import rotating
def progress(done, of):
    if done == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
rotating.rotate(plan, place, progress)
"""
)
LOOK = (
    SETUP
    + """
from doorward.identity import bootstrap
if sys.argv[2] == "0":
    bootstrap.prepare(bootstrap.Bootstrap())
bootstrap.set_up_django()
from doorward.identity.authenticators import recovery_codes
from doorward.identity.authenticators.models import StaticDevice, TOTPDevice
from doorward.identity.authenticators.totp import place as place_of_seed
from doorward.identity.crypto import vault
from doorward.identity.crypto.queries import signing_key
from doorward.identity.crypto.sealed_columns import sealed_columns
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.queries import token_by_key
from doorward.identity.events import sealing, verifying
from doorward.identity.logins.session_store import SessionStore
from doorward.identity.outposts.models import ProxyProvider, StoredSession
from doorward.identity.rpc.sessions import place as place_of
from django.conf import settings
facts = json.loads((folder / "facts.json").read_text())
user, provider = User.objects.get(username="akadmin"), ProxyProvider.objects.get(application__slug="wiki")
device = TOTPDevice.objects.get()
assert user.uid == facts["uid"]
assert vault.unseal(device.sealed_seed, place_of_seed(device)) == facts["seed"]
assert (provider.client_secret, provider.cookie_secret) == (facts["client"], facts["pepper"])
assert vault.unseal_bytes(StoredSession.objects.get().sealed, place_of("ab" * 32)) == b"session"
assert "PRIVATE KEY" in signing_key().private_key_pem
assert token_by_key("k" * 60, [Token.Intent.API]).identifier == "robot"
browser = SessionStore(facts["cookie"])
assert browser.user == user and browser["remembered"] == "colour"
assert recovery_codes.use(StaticDevice.objects.get(), facts["codes"][int(sys.argv[2])])
sealing.seal()
report = verifying.verify()
assert report.is_whole, report.findings
former = settings.INSTALLATION_KEYS.old
opened_by_former = 0
for column in sealed_columns():
    for row in column.model._default_manager.all():
        opened_by_former += column.renewed(row) is not None
print(len(former), opened_by_former, report.checked)
"""
)


def run(script: str, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, str(folder), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


def looked(folder: Path, code: int) -> list[int]:
    """Former keys that are read, values that still need one, links of the chain."""
    done = run(LOOK, folder, code)
    assert done.returncode == 0, done.stderr
    return list(map(int, done.stdout.split()))


def sealed(folder: Path) -> list[str]:
    """Some of what is sealed now."""
    columns = (
        "sealed_seed FROM authenticators_totpdevice",
        "key_check FROM directory_installation",
        "sealed FROM outposts_storedsession",
        "sealed_key FROM crypto_certificatekeypair",
    )
    with sqlite3.connect(folder / "doorward.sqlite3") as connection:
        return [row[0] for column in columns for row in connection.execute(f"SELECT {column}")]


def rotate(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(DOORWARD), "rotate-secret-key", "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder in which somebody has logged in, with a factor, codes, a token and an application."""
    folder = tmp_path / "data"
    folder.mkdir(0o700)
    (folder / "doorward.yml").write_text(f"identity: {{externalUrl: 'https://auth.example.test', data: {folder}}}\n")
    filled = run(FILL, folder)
    assert filled.returncode == 0, filled.stderr
    return folder


def test_killed_in_the_middle_it_goes_on(folder: Path) -> None:
    """Both keys are read meanwhile; in the end nothing is left that the former one opens, and nobody is logged out."""
    # S-804
    former = read_secret_keys(folder / "secret.key").current
    facts = msgspec.json.decode((folder / "facts.json").read_bytes())
    seals = sealed(folder)
    assert seals

    killed = run(KILLED, folder, 7)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    between = read_secret_keys(folder / "secret.key")
    assert between.old == (former,)
    read, needing, _ = looked(folder, 0)
    assert (read, needing > 0) == (1, True)

    done = rotate(folder)
    assert done.returncode == 0, done.stderr
    assert "An earlier run had been interrupted" in done.stderr
    after = read_secret_keys(folder / "secret.key")
    assert (after.current, after.old) == (between.current, ())
    assert looked(folder, 1)[:2] == [0, 0]
    for path in folder.iterdir():
        if path.is_file() and path.name != "facts.json":
            content = path.read_bytes()
            assert former.hex().encode() not in content, path
            assert not any(secret.encode() in content for secret in (facts["seed"], facts["client"])), path
            assert not any(seal.encode() in content for seal in seals), "also in pages that are free now"

    # Once more, from the beginning: what outlasts a key outlasts the next one as well.
    assert "The secret key is a new one" in rotate(folder).stdout
    assert read_secret_keys(folder / "secret.key").current not in (former, after.current)
    read, needing, links = looked(folder, 2)
    assert (read, needing) == (0, 0)
    assert links > 0


def test_not_while_the_program_runs(tmp_path: Path) -> None:
    """It would go on sealing with the key that it has read."""
    # S-804
    import fcntl

    (tmp_path / "doorward.yml").write_text(f"identity: {{externalUrl: 'https://auth.example.test', data: {tmp_path}}}")
    before = read_secret_keys(tmp_path / "secret.key")
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)

    refused = rotate(tmp_path)
    os.close(lock)

    assert refused.returncode == 1
    assert "another Doorward is running" in refused.stderr
    assert read_secret_keys(tmp_path / "secret.key") == before
