"""Users in and out as files, on the pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from doorward.identity.access_requests.models import AccessRequest
from doorward.identity.authenticators.actions import set_recovery_codes
from doorward.identity.authenticators.recovery_codes import generate
from doorward.identity.directory import passwords
from doorward.identity.directory.actions import create_token, update_user
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.notifications.models import Notification
from doorward.identity.people import files
from doorward.identity.people.importing import Done, Outcome, take_in
from doorward.identity.policies.models import FormerPassword, PastLogin
from doorward.identity.roles.actions import add_user, assign, create_role
from doorward.identity.sources.models import OAuthSource, UserSourceConnection
from identity import proxied
from identity.web.visitor import Visitor

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application
    from doorward.identity.directory.models import Group

IMPORT = "/if/admin/users/import/"
PEOPLE = """username,name,email,groups,is_active
carol,Carol Jones,carol@example.test,staff,true
bob,Bobby,bob@example.test,staff,true
dave,,not an address,,true
erin,Erin,,nobody knows it,true
carol,Twice,,,true
"""


def outcomes(done: list[Done]) -> list[tuple[int, str, str]]:
    return [(each.line, each.username, str(each.outcome)) for each in done]


def test_one_looks_before_one_leaps(admin: Visitor, bob: User) -> None:
    """The page shows what would happen, line by line, changes nothing, and then does just that."""
    upload = SimpleUploadedFile("people.csv", PEOPLE.encode(), "text/csv")
    admin.send(IMPORT, file=upload)
    assert "Nothing has happened yet." in admin.text
    assert "1 created, 1 changed, 3 refused." in admin.text
    assert "There is no group nobody knows it." in admin.text
    assert "The same user as in line 2." in admin.text
    assert not User.objects.filter(username="carol").exists()
    assert Event.objects.filter(action="model_created", context__model__name="carol").count() == 0

    admin.send(IMPORT, text=PEOPLE, sure="on")
    assert "Done: 1 created, 1 changed, 3 refused." in admin.text
    carol = User.objects.get(username="carol")
    assert [group.name for group in carol.groups.all()] == ["staff"]
    bob.refresh_from_db()
    assert bob.name == "Bobby"


def test_a_second_time_changes_nothing(flows: None, staff: Group, akadmin: User) -> None:
    """An import may be repeated."""
    text = "username,name,groups\ncarol,Carol,staff\n"
    first = take_in(Actor.system(), files.read(text), dry=False)
    again = take_in(Actor.system(), files.read(text), dry=False)

    assert (first[0].outcome, again[0].outcome) == (Outcome.CREATED, Outcome.UNCHANGED)


def test_what_is_no_column_stays(flows: None, bob: User) -> None:
    """Only what the file says is changed."""
    (done,) = take_in(Actor.system(), files.read('[{"username": "BOB", "email": "b@example.test"}]'), dry=False)

    bob.refresh_from_db()
    assert (done.outcome, done.details) == (Outcome.CHANGED, "email")
    assert (bob.username, bob.name, bob.email, bob.groups.count()) == ("bob", "Bob", "b@example.test", 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no user"),
        ("name\nCarol\n", "no column “username”"),
        ("username,password\ncarol,secret-secret\n", "Passwords in clear"),
        ("username,nmae\ncarol,x\n", "Unknown column 'nmae'"),
        ("username,name,name\ncarol,x,y\n", "twice"),
        ("[1, 2", "no JSON"),
        ('{"people": []}', "A list of users"),
        ('username,name\ncarol,"open', "Line"),
        ("username\nca\0rol\n", "NUL"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(text: str, why: str) -> None:
    """With a text that says what is wrong with it."""
    with pytest.raises(files.BadFile) as refused:
        files.read(text)
    assert why in str(refused.value)


def test_a_row_that_makes_no_sense_is_refused_alone(flows: None, staff: Group, akadmin: User) -> None:
    """The others go on."""
    rows = files.read(
        'username,is_active,attributes,type\na,maybe,,internal\nb,true,"[1]",internal\nc,true,,root\n'
        'd,true\ne,true,"{""floor"": 2}",external\nakadmin-\u200b,true,,internal\nak-outpost-1,true,,internal\n'
    )
    done = take_in(Actor(akadmin, None, ""), rows, dry=False)

    assert outcomes(done)[:5] == [
        (2, "a", "refused"),
        (3, "b", "refused"),
        (4, "c", "refused"),
        (5, "", "refused"),
        (6, "e", "created"),
    ]
    assert done[5].outcome is Outcome.REFUSED
    assert User.objects.get(username="e").attributes == {"floor": 2}


def test_hashes_come_along_and_are_seen_nowhere(flows: None, akadmin: User, bob: User, password: str) -> None:
    """Whoever has a password elsewhere logs in with it here; the hash is in no event and no answer."""  # I5
    encoded = passwords.hashed("moved in with me")
    text = json.dumps([{"username": "carol", "password_hash": encoded}, {"username": "bob", "password_hash": encoded}])
    login = proxied.log_in(bob)

    done = take_in(Actor.system(), files.read(text), dry=False)

    assert [each.details for each in done] == ["with a password", "password"]
    carol = User.objects.get(username="carol")
    assert passwords.check(carol, "moved in with me")
    assert not bob.login_sessions.filter(pk=login.pk).exists()  # S-520
    assert encoded not in json.dumps([event.context for event in Event.objects.all()])
    assert encoded not in repr(done)


@pytest.mark.parametrize(
    "encoded",
    ["plain text", "md5$salt$0123456789abcdef", "pbkdf2_sha256$900000000$salt$aGFzaA==", "argon2$nonsense", "x" * 300],
)
def test_a_hash_that_cannot_be_checked_cheaply_is_refused(flows: None, bob: User, encoded: str) -> None:
    """Bob keeps his password, and no answer repeats the hash."""
    (done,) = take_in(
        Actor.system(), files.read(json.dumps([{"username": "bob", "password_hash": encoded}])), dry=False
    )

    assert done.outcome is Outcome.REFUSED
    assert encoded not in done.details


def test_an_import_raises_nobody(flows: None, akadmin: User, mallory: User, admins: Group) -> None:
    """A delegated administrator's file does what they may do by hand, and nothing more."""  # S-603
    role = create_role(Actor.system(), name="desk")
    assign(Actor.system(), role, [f"authentik_core.{verb}_user" for verb in ("view", "add", "change")])
    add_user(Actor.system(), role, mallory)
    text = json.dumps(
        [
            {"username": "carol", "groups": [admins.name]},
            {"username": "mallory", "groups": [admins.name]},
            {"username": "akadmin", "email": "m@example.test"},
            {"username": "dave", "password_hash": passwords.hashed("moved in with me")},
            {"username": "erin"},
        ]
    )
    done = take_in(Actor(mallory, None, ""), files.read(text), dry=False)

    assert [each.outcome for each in done] == [Outcome.REFUSED] * 4 + [Outcome.CREATED]
    assert not mallory.is_superuser
    assert not User.objects.filter(username="dave").exists()


def test_what_is_exported_can_be_imported(admin: Visitor, bob: User) -> None:
    """Formulas included, which no spreadsheet runs; passwords are not in it."""
    update_user(Actor.system(), bob, name="=cmd|' /C calc'!A0", attributes={"floor": 2})
    admin.get("/if/admin/users/export/")
    table = admin.raw
    assert "'=cmd" in table
    assert admin.answer["Content-Disposition"] == 'attachment; filename="users.csv"'
    assert bob.password not in table
    admin.get("/if/admin/users/export/?format=json")

    for text in (table, admin.raw):
        assert {each.outcome for each in take_in(Actor.system(), files.read(text), dry=False)} == {Outcome.UNCHANGED}


def test_everything_about_one_user(admin: Visitor, bob: User, whoami: Application) -> None:
    """From their page and from the account page: data, logins, sessions, tokens, factors, events; no secret."""
    _, key = create_token(Actor.system(), user=bob, identifier="script", intent="api")
    codes = generate()
    set_recovery_codes(Actor.system(), bob, codes, name="Codes")
    login = proxied.log_in(bob)
    proxied.enter(login, whoami)
    admin.get(f"/if/admin/users/{bob.pk}/data/")
    theirs = json.loads(admin.raw)

    assert theirs["user"]["email"] == "bob@example.test"
    assert [token["identifier"] for token in theirs["tokens"]] == ["script"]
    assert len(theirs["logins"]) == 1
    assert len(theirs["applications_entered"]) == 1
    assert {event["action"] for event in theirs["events"]} >= {"password_set", "model_created"}
    assert [factor["name"] for factor in theirs["factors"]] == ["Codes"]
    for secret in (key, *codes, bob.password, login.session_key, login.sid):
        assert secret not in admin.raw
    assert Event.objects.filter(action="export_ready", context__target__pk=str(bob.pk)).exists()


def test_users_take_their_own_data(visiting_bob: Visitor, bob: User, admin: Visitor) -> None:
    """And nobody else's; whoever acts as them does not either."""
    own = json.loads(visiting_bob.open("/if/user/data/"))
    assert own["user"]["username"] == "bob"
    assert visiting_bob.get(f"/if/admin/users/{bob.pk}/data/").status_code == 403

    admin.send(f"/if/admin/users/{bob.pk}/impersonate/", reason="To see")
    assert admin.get("/if/user/data/").status_code == 403


IN_THE_FILE = {
    "access_requests.AccessRequest.user",
    "applications.Consent.user",
    "authenticators.EmailDevice.user",
    "authenticators.RememberedDevice.user",
    "authenticators.StaticDevice.user",
    "authenticators.TOTPDevice.user",
    "authenticators.WebAuthnDevice.user",
    "directory.Token.user",
    "logins.LoginSession.impersonator",
    "logins.LoginSession.user",
    "notifications.Notification.user",
    "oauth2.IssuedToken.user",
    "outposts.StoredSession.user",
    "policies.FormerPassword.user",
    "policies.PastLogin.user",
    "roles.Role.users",
    "sources.UserSourceConnection.user",
}
NOT_IN_THE_FILE = {
    "access_requests.AccessOffer.approver_users",  # about the application
    "access_requests.AccessRequest.decided_by",  # about whoever asked; the decision itself is an event
    "authenticators.MailedCode.user",  # a secret that lasts minutes
    "mail.MailLink.user",  # the same
    "mail.UnprovenAddress.user",  # the address stands there
    "notifications.Delivery.user",  # on its way
    "oauth2.AuthorizationCode.user",  # lasts seconds
    "oauth2.DeviceCode.user",  # lasts minutes
    "policies.PolicyBinding.user",  # about the application
    "stages.Invitation.created_by",  # making it is an event
}


def test_nothing_about_a_user_is_forgotten() -> None:
    """Whatever points at users is in the file about one of them, or left out for a reason that stands here."""
    found = {
        f"{model._meta.label}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.get_fields()
        if column.related_model is User and not column.auto_created
    }

    assert found == IN_THE_FILE | NOT_IN_THE_FILE


def test_what_else_is_kept_about_one_user(admin: Visitor, bob: User, whoami: Application) -> None:
    """Where they have accounts elsewhere, what they asked for, where they came from, what they were told."""
    source = OAuthSource.objects.create(name="Elsewhere", slug="elsewhere", provider_type="github")
    UserSourceConnection.objects.create(source=source, user=bob, identifier="bob-at-elsewhere")
    AccessRequest.objects.create(application=whoami, user=bob, reason="To read", until=timezone.now())
    PastLogin.objects.create(user=bob, ip="192.0.2.7", at=timezone.now())
    FormerPassword.objects.create(user=bob, encoded="argon2$former")
    Notification.objects.create(user=bob, severity="notice", body="Hello")
    admin.get(f"/if/admin/users/{bob.pk}/data/")
    kept = json.loads(admin.raw)

    assert [row["identifier"] for row in kept["accounts_elsewhere"]] == ["bob-at-elsewhere"]
    assert [row["reason"] for row in kept["access_requests"]] == ["To read"]
    assert [row["ip"] for row in kept["past_logins"]] == ["192.0.2.7"]
    assert [row["body"] for row in kept["notifications"]] == ["Hello"]
    assert len(kept["former_passwords"]) == 1
    assert "argon2$former" not in admin.raw
