"""A whole identity provider in memory, with the people of the security contract: akadmin, bob, mallory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import django
import pytest
from pytest_django import Settings

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application
    from doorward.identity.directory.models import Group, User

PASSWORD = "correct horse battery staple"

# Settings are read when Django is set up, so the facts must stand before anything imports a model.
FOLDER = tempfile.mkdtemp(prefix="doorward-identity-")
os.environ["DOORWARD_DATA"] = FOLDER
os.environ["DOORWARD_DATABASE"] = os.environ.get("DOORWARD_TEST_DATABASE", "")
os.environ["DOORWARD_EXTERNAL_URL"] = "https://auth.example.test"
os.environ["DJANGO_SETTINGS_MODULE"] = "doorward.identity.settings"
django.setup()


def pytest_unconfigure() -> None:
    """Remove the state folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture(autouse=True, scope="session")
def fast_argon2() -> Iterator[None]:
    """Hash with Argon2id still, but with a cost that does not slow the tests down."""
    from doorward.identity.directory.hashing import Argon2

    cost = Argon2.time_cost, Argon2.memory_cost
    Argon2.time_cost, Argon2.memory_cost = 1, 64
    yield
    Argon2.time_cost, Argon2.memory_cost = cost


@pytest.fixture(autouse=True)
def forgetful_throttle() -> None:
    """No test inherits another's failed logins."""
    from doorward.identity.authenticators.throttle import throttle
    from doorward.identity.directory import passwords
    from doorward.identity.mail import pace

    passwords.throttle.forget()
    throttle.forget()
    pace.throttle.forget()


@pytest.fixture
def password() -> str:
    """The password of everybody here."""
    return PASSWORD


@pytest.fixture
def flows(db: None) -> None:
    """Everything that a fresh installation has, except people."""
    from doorward.identity.first_start import make_defaults

    make_defaults()


@pytest.fixture
def login_flows(db: None) -> None:
    """The default flows and stages alone, without certificates and outposts: quicker than ``flows``."""
    from doorward.identity.flows.defaults import ensure

    ensure()


@pytest.fixture
def admins(db: None) -> Group:
    """The group whose members are superusers."""
    from doorward.identity.first_start import ensure_admins

    return ensure_admins()


@pytest.fixture
def staff(db: None) -> Group:
    """The group that bob is in."""
    from doorward.identity.directory.actions import create_group
    from doorward.identity.events.actor import Actor

    return create_group(Actor.system(), name="staff")


@pytest.fixture
def akadmin(admins: Group) -> User:
    """The superuser."""
    return _person("akadmin", "root@example.test", [admins])


@pytest.fixture
def bob(staff: Group) -> User:
    """A member of staff."""
    return _person("bob", "bob@example.test", [staff])


@pytest.fixture
def mallory(db: None) -> User:
    """A user in no group."""
    return _person("mallory", "mallory@example.test", [])


def _person(username: str, email: str, groups: list[Group]) -> User:
    from doorward.identity.directory.actions import create_user
    from doorward.identity.events.actor import Actor

    return create_user(
        Actor.system(), username=username, name=username.title(), email=email, groups=groups, password=PASSWORD
    )


@pytest.fixture
def state_folder(tmp_path: Path) -> Path:
    """An empty state folder of its own, private as the program makes it."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def whoami(flows: None, staff: Group) -> Application:
    """An application at https://app.example.test that only staff may enter."""
    from doorward.identity.events.actor import Actor
    from doorward.identity.outposts.actions import protect

    return protect(
        Actor.system(), name="whoami", slug="whoami", external_host="https://app.example.test/*", groups=[staff]
    )


@pytest.fixture
def mail_folder(tmp_path: Path, settings: Settings) -> Path:
    """Where letters are written while this fixture is used."""
    folder = tmp_path / "mail"
    settings.MAIL = f"file://{folder}?from=login@example.test"
    return folder


@pytest.fixture
def write_letter(tmp_path: Path, settings: Settings) -> Callable[[str, str], None]:
    """``write_letter("notice.de.txt", "…")`` into a folder of templates that is in force while it is used."""
    folder = tmp_path / "templates" / "email"
    folder.mkdir(parents=True)
    settings.OWN_TEMPLATES = folder.parent

    def put(name: str, content: str) -> None:
        (folder / name).write_text(content)

    return put
