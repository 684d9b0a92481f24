"""Policies in bindings: what they say, what happens when they cannot, and that nothing opens by a failure."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.policies.actions import bind, create_policy, delete_policy, unbind, update_policy
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.models import ExpressionPolicy, PasswordExpiryPolicy, PasswordPolicy, PolicyTarget
from doorward.identity.policies.notices import access_changed
from doorward.identity.policies.queries import verdict

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


@pytest.fixture
def door(db: None) -> PolicyTarget:
    return PolicyTarget.objects.create()


def rule(text: str, **fields: object) -> ExpressionPolicy:
    return create_policy(SYSTEM, ExpressionPolicy, name="rule", expression=text, **fields)


@pytest.mark.parametrize(
    ("text", "bob_passes", "mallory_passes"),
    [
        ("return ak_is_group_member(request.user, name='staff')", True, False),
        ("return user.username == 'bob'", True, False),
        ("return request.user.ak_groups.filter(name='staff').exists()", True, False),
        ("return 'staff' in [group.name for group in user.all_groups()]", True, False),
        ("return ak_user_by(username='mallory') is not None", True, True),
        ("return ak_user_by(password='x') is not None", False, False),
        ("return ak_client_ip in ip_network('192.0.2.0/24')", True, True),
        ("return ak_client_ip in ip_network('198.51.100.0/24')", False, False),
        ("return http_request.path == '/x' and request.http_request.method == 'GET'", True, True),
        ("return context['prompt_data']['colour'] == 'blue'", True, True),
        ("return request.context.get('pending_user').username == user.username", True, True),
        ("return ak_user_has_authenticator(user)", False, False),
        ("return user.attributes.get('missing')", False, False),
        ("pass", False, False),
    ],
)
def test_what_an_expression_knows(
    door: PolicyTarget, bob: User, mallory: User, staff: Group, text: str, bob_passes: bool, mallory_passes: bool
) -> None:
    """The user, their groups, the client's address, the request, and what the flow has collected."""
    bind(SYSTEM, door, policy=rule(text))
    asked = Asked(client_ip="192.0.2.7", method="GET", path="/x", context={"prompt_data": {"colour": "blue"}})

    assert verdict(door, bob, asked).passing is bob_passes
    assert verdict(door, mallory, asked).passing is mallory_passes


@pytest.mark.parametrize("secret", ["password", "tokens", "login_sessions", "sealed", "save", "objects"])
def test_it_knows_no_secret(door: PolicyTarget, bob: User, secret: str) -> None:
    """No hash, no token, no way to the database."""
    # S-612
    bind(SYSTEM, door, policy=rule(f"return user.{secret} is None or True"))

    assert not verdict(door, bob).passing


@pytest.mark.parametrize("negate", [False, True])
def test_a_failure_denies_even_when_negated(door: PolicyTarget, bob: User, negate: bool) -> None:
    """With an event that names the policy and the line."""
    bind(SYSTEM, door, policy=rule("x = 1\nreturn usr.name == 'bob'"), negate=negate)

    judged = verdict(door, bob)

    assert not judged.passing
    assert judged.undecided
    assert "nothing called “usr”" in judged.reasons[0]
    assert "Line 2" in Event.objects.get(action="policy_exception").context["error"]


def test_a_failure_passes_only_where_the_binding_says_so(door: PolicyTarget, bob: User) -> None:
    """``failure_result`` is an administrator's decision."""
    bind(SYSTEM, door, policy=rule("return 1 / 0"), failure_result=True)

    assert verdict(door, bob).passing


def test_what_is_said_to_the_user(door: PolicyTarget, bob: User) -> None:
    """``ak_message``, once."""
    bind(SYSTEM, door, policy=rule("ak_message('Ask Alice.')\nreturn False"))

    judged = verdict(door, bob)

    assert judged.messages == ("Ask Alice.",)
    assert judged.reasons == ("The policy “rule” does not pass: Ask Alice.",)


def test_each_judging_can_be_put_on_record(door: PolicyTarget, bob: User) -> None:
    """``execution_logging``, with what the expression logged."""
    bind(SYSTEM, door, policy=rule("ak_logger.info('looked')\nreturn True", execution_logging=True))

    assert verdict(door, bob).passing
    assert Event.objects.get(action="policy_execution").context["log"] == ["looked"]


def test_a_password_gets_old(door: PolicyTarget, bob: User) -> None:
    """The user reads how old, and nothing is done to the password."""
    bind(SYSTEM, door, policy=create_policy(SYSTEM, PasswordExpiryPolicy, name="monthly", days=30))
    assert verdict(door, bob).passing

    bob.password_change_date = timezone.now() - timedelta(days=31)
    judged = verdict(door, bob)

    assert not judged.passing
    assert judged.messages == ("Your password is 31 days old. Choose a new one.",)
    assert bob.has_usable_password()


def test_a_password_policy_judges_what_was_typed(door: PolicyTarget, bob: User) -> None:
    """Where nothing was typed it does not pass."""
    strict = create_policy(SYSTEM, PasswordPolicy, name="strict", length_min=20)
    bind(SYSTEM, door, policy=strict)

    assert not verdict(door, bob).passing
    assert not verdict(door, bob, Asked(context={"prompt_data": {"password": "short"}})).passing
    assert verdict(door, bob, Asked(context={"prompt_data": {"password": "long enough for twenty"}})).passing


def test_changing_a_rule_is_heard_where_it_is_bound(door: PolicyTarget, bob: User) -> None:
    """Whoever it no longer lets in is out: sessions are judged anew."""
    heard: list[PolicyTarget] = []
    access_changed.connect(lambda sender, target, **_: heard.append(target), weak=False, dispatch_uid="test")
    try:
        policy = rule("return True")
        bind(SYSTEM, door, policy=policy)
        heard.clear()
        update_policy(SYSTEM, policy, expression="return False")
        assert heard == [door]
        update_policy(SYSTEM, policy, expression="return False")
        assert heard == [door]
    finally:
        access_changed.disconnect(dispatch_uid="test")


@pytest.mark.parametrize("negate", [False, True])
def test_the_only_guard_cannot_be_deleted(door: PolicyTarget, staff: Group, negate: bool) -> None:
    """Without it the door would be open to everybody."""
    policy = rule("return True")
    binding = bind(SYSTEM, door, policy=policy, negate=negate)
    with pytest.raises(Refused, match="guards"):
        delete_policy(SYSTEM, policy)

    bind(SYSTEM, door, group=staff)
    unbind(SYSTEM, binding)
    delete_policy(SYSTEM, policy)
    assert not ExpressionPolicy.objects.exists()


def test_a_binding_names_exactly_one(door: PolicyTarget, staff: Group) -> None:
    """Never a group and a policy at once."""
    with pytest.raises(ValidationError):
        bind(SYSTEM, door, policy=rule("return True"), group=staff)
    with pytest.raises(ValidationError):
        bind(SYSTEM, door)
