"""A database that takes nothing more: no session that was not stored, and everything works again afterwards."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from identity.web.visitor import Visitor

LOGIN = "/if/flow/default-authentication-flow/"
MOST = 200
"""Strangers who come while there is a little room."""
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(connection.vendor != "sqlite"), reason="SQLite's own ways of failing"),
]


def pragma(text: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")
        row = cursor.fetchone()
        return row[0] if row else None


def test_a_power_cut_loses_nothing_that_was_answered() -> None:
    """Each connection writes through, keeps foreign keys, and waits its turn."""
    # S-807
    assert pragma("synchronous") == 2
    assert pragma("foreign_keys") == 1
    assert pragma("journal_mode") == "wal"
    assert pragma("busy_timeout") == 5000


@pytest.mark.parametrize(
    ("trouble", "cure"),
    [("query_only = ON", "query_only = OFF"), ("max_page_count = 1", "max_page_count = 1073741823")],
)
def test_a_full_or_read_only_disk_closes_the_door(
    login_flows: None, bob: User, password: str, trouble: str, cure: str
) -> None:
    """503, and no cookie for a session that was never stored; the next login works."""
    # S-806
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # what is free in the file would be written to before it is full
    stored, answers = LoginSession.objects.count(), []
    pragma(trouble)
    try:
        for _ in range(MOST):
            answers.append(Client(raise_request_exception=False).get(LOGIN))
            if answers[-1].status_code == 503:
                break
        given = sum(settings.SESSION_COOKIE_NAME in answer.cookies for answer in answers)
        assert answers[-1].status_code == 503
        assert answers[-1]["Retry-After"]
        assert LoginSession.objects.count() == stored + given
    finally:
        pragma(cure)

    Visitor("bob", password)
    assert LoginSession.objects.filter(user=bob).count() == 1
