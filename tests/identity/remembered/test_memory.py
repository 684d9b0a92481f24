"""What may be remembered, and for how long."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from doorward.identity.applications.models import Application
from doorward.identity.brands.models import Brand
from doorward.identity.brands.queries import current_brand
from doorward.identity.directory.models import User
from doorward.identity.flows.models import Flow
from doorward.identity.remembered import chores, marks, memory
from doorward.identity.remembered.copies import NotConfiguration, copied
from doorward.identity.remembered.memory import remembered
from doorward.identity.remembered.models import Mark
from doorward.identity.remembered.triggers import ensure
from doorward.identity.remembered.watched import tables
from identity.flow_tab import Tab

SQLITE = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute(sys.argv[2])"
POSTGRESQL = "import psycopg, sys; c = psycopg.connect(sys.argv[1], autocommit=True); c.execute(sys.argv[2])"
RENAME = "UPDATE brands_brand SET branding_title = 'Changed'"


@remembered
def titles() -> list[str]:
    return [brand.branding_title for brand in Brand.objects.order_by("domain")]


@remembered
def people() -> list[User]:
    return list(User.objects.all())


@remembered
def nothing(name: str) -> Brand | None:
    return Brand.objects.filter(domain=name).first()


def test_another_process_is_noticed(transactional_db: None) -> None:
    """One that knows nothing of this program, such as a database's own prompt."""
    Brand.objects.create(domain="here", default=True)
    with marks.during_a_request():
        assert current_brand().branding_title == "Doorward"

    _elsewhere(RENAME)

    with marks.during_a_request():
        assert current_brand().branding_title == "Changed"


def test_what_another_has_not_committed_does_not_count_yet(transactional_db: None) -> None:
    """And counts as soon as it is; what is taken back never does."""
    Brand.objects.create(domain="here", default=True)
    written, go_on = threading.Event(), threading.Event()

    def change(title: str, error: type[Exception] | None) -> None:
        try:
            with transaction.atomic():
                Brand.objects.update(branding_title=title)
                assert titles() == [title]
                written.set()
                go_on.wait(30)
                if error is not None:
                    raise error
        except ZeroDivisionError:
            pass
        finally:
            connection.close()

    for title, error, afterwards in (("First", ZeroDivisionError, "Doorward"), ("Second", None, "Second")):
        writer = threading.Thread(target=change, args=(title, error))
        writer.start()
        assert written.wait(30)
        assert titles() == ["Doorward"]
        go_on.set()
        writer.join(30)
        assert titles() == [afterwards]
        written.clear()
        go_on.clear()


def test_a_request_asks_for_the_mark_once_until_it_writes(transactional_db: None) -> None:
    """Its own writes count at once, in a transaction and after it."""
    Brand.objects.create(domain="here", default=True)
    with marks.during_a_request():
        with CaptureQueriesContext(connection) as asked:
            for _ in range(5):
                assert titles() == ["Doorward"]
        assert sum("remembered_mark" in query["sql"] for query in asked) == 1
        Brand.objects.update(branding_title="First")
        assert titles() == ["First"]
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Brand.objects.update(branding_title="Second")
            assert titles() == ["Second"]
            raise ZeroDivisionError
        assert titles() == ["First"]


def test_a_transaction_sees_what_it_has_waited_for(transactional_db: None) -> None:
    """Whoever gets a lock late goes by what was written meanwhile."""
    Brand.objects.create(domain="here", default=True)
    with marks.during_a_request():
        assert titles() == ["Doorward"]
        _elsewhere(RENAME)
        with transaction.atomic():
            assert titles() == ["Changed"]


def test_only_configuration_can_be_kept(akadmin: User) -> None:
    """People change without the mark."""
    with pytest.raises(NotConfiguration, match="User"):
        people()


def test_a_copy_is_whole(whoami: Application) -> None:
    """With what it holds, each once, also where two hold each other; what is unknown is refused."""
    found = Application.objects.select_related("provider__application").get(pk=whoami.pk)
    assert found.provider is not None
    copy = copied({"some": [(found, 1.5)]})["some"][0][0]

    assert copy == found
    assert copy is not found
    assert copy.provider is not None
    assert copy.provider is not found.provider
    assert copy.provider.application is copy
    assert copy.name == found.name
    copy.save()
    with pytest.raises(NotConfiguration):
        copied([object()])


def test_every_watched_table_has_its_triggers(db: None) -> None:
    """And those that hold people, sessions, tokens or secrets are none of them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'")
            times = 3
        else:
            cursor.execute(
                "SELECT relname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE tgname='remembered'"
            )
            times = 1
        found = [name for (name,) in cursor.fetchall()]

    assert sorted(found) == sorted(times * list(tables()))
    people = {"directory_user", "directory_group", "logins_loginsession", "oauth2_issuedtoken", "applications_consent"}
    assert not tables() & {*people, "directory_token", "crypto_certificatekeypair", "stages_invitation"}


def test_a_trigger_that_was_lost_comes_back(db: None) -> None:
    """What was remembered meanwhile counts for nothing."""
    Brand.objects.create(domain="here", default=True)
    assert titles() == ["Doorward"]
    name = "remembered_brands_brand_update" if connection.vendor == "sqlite" else "remembered ON brands_brand"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}")
    Brand.objects.update(branding_title="Changed")
    assert titles() == ["Doorward"]

    ensure()

    assert titles() == ["Changed"]
    Brand.objects.update(branding_title="Again")
    assert titles() == ["Again"]


def test_a_database_without_a_mark_remembers_nothing(db: None) -> None:
    """Fail closed."""
    Brand.objects.create(domain="here", default=True)
    assert titles() == ["Doorward"]
    Mark.objects.all().delete()
    if connection.vendor == "sqlite":  # PostgreSQL's triggers make one again
        assert marks.carried() is None
    Brand.objects.update(branding_title="Changed")
    assert titles() == ["Changed"]


def test_a_full_memory_begins_anew(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never holds more than it may."""
    kept = memory._Memory()
    monkeypatch.setattr(memory, "_memory", kept)
    monkeypatch.setattr(memory, "MOST", 3)
    for number in range(10):
        kept.keep(number, [number])
        assert kept.get(number) == [number]
        assert len(kept._kept) <= 3
    assert kept.get(0) is None


def test_what_is_not_there_fills_no_memory(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gets anything kept by asking for names that they made up."""
    kept = memory._Memory()
    monkeypatch.setattr(memory, "_memory", kept)
    assert [nothing(str(number)) for number in range(5)] == [None] * 5
    assert not kept._kept


def test_old_rows_go(db: None) -> None:
    """PostgreSQL gets one for every transaction that writes configuration."""
    Brand.objects.create(domain="here", default=True)
    Mark.objects.bulk_create(Mark(id=10**12 + number, stamp=number) for number in range(chores.MOST + 1))
    assert titles() == ["Doorward"]
    assert chores._are_many()

    chores.forget_old()

    assert Mark.objects.count() == chores.KEPT
    assert not chores._are_many()
    assert titles() == ["Doorward"]


def test_a_whole_login_costs_few_questions(
    transactional_db: None, whoami: Application, bob: User, password: str
) -> None:
    """From the application's redirect to the code that is its answer; sooner or later somebody adds one too many."""
    client = Client()
    assert whoami.provider is not None
    path = f"/application/o/authorize/?client_id={whoami.provider.oauth2provider.client_id}&response_type=code"
    path += "&redirect_uri=https://app.example.test/outpost.goauthentik.io/callback?X-authentik-auth-callback=true"
    path += "&scope=openid&code_challenge=" + "c" * 43 + "&code_challenge_method=S256"

    def log_in() -> None:
        client.cookies.clear()
        tab = Tab(client, client.get(path)["Location"])
        answer = client.get(tab.log_in("bob", password))
        assert "code=" in answer["Location"], answer.content

    log_in()
    with CaptureQueriesContext(connection) as asked:
        log_in()
    assert len(asked) <= 40, "\n".join(query["sql"][:200] for query in asked)


def _elsewhere(sql: str) -> None:
    """Run a statement in another process."""
    connection.close()
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        argv = [SQLITE, str(values["NAME"])]
    else:
        argv = [POSTGRESQL, f"host={values['HOST']} user={values['USER']} dbname={values['NAME']}"]
    subprocess.run([sys.executable, "-c", *argv, sql], check=True, timeout=60, env={**os.environ, "PYTHONPATH": ""})


def test_flows_are_found_by_their_name(login_flows: None) -> None:
    """The memory tells questions apart."""
    from doorward.identity.flows.queries import flow_named

    slugs = list(Flow.objects.values_list("slug", flat=True))
    for _ in range(2):
        assert [flow.slug for slug in slugs if (flow := flow_named(slug))] == slugs
