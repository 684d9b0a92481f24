"""What rules open, shown before anybody relies on it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.config.skip_rules import ALLOW_MATCH_ALL
from doorward.identity.applications.models import Application
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.outposts.actions import update_proxy_provider
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.outposts.open_paths import MOST, preview, require_usable

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(whoami: Application) -> ProxyProvider:
    provider = ProxyProvider.objects.get(application=whoami)
    return update_proxy_provider(Actor.system(), provider, skip_path_regex="^/health$\n\\.png$")


@pytest.mark.parametrize(
    ("path", "is_open", "why"),
    [
        ("/health", True, "rule 1 opens it: ^/health$"),
        ("/healthy", False, "none of 2 applies"),
        ("/a/b.png?size=1", True, "rule 2 opens it: \\.png$; the query does not count"),
        ("/admin?x=.png", False, "none of 2 applies; the query does not count"),
        ("https://app.example.test/health", True, "rule 1 opens it"),
        ("/heal%74h", True, "rule 1 opens it"),
        ("/admin/..;/health", False, "more than one way"),
        ("/x%2F.png", False, "more than one way"),
        ("//health", False, ""),
        ("/bücher.png", True, "rule 2 opens it"),
        ("health", False, "begins with a slash"),
    ],
)
def test_a_path_and_why(provider: ProxyProvider, path: str, is_open: bool, why: str) -> None:
    """The same answer as the outpost gives a stranger, with the rule behind it."""  # S-207 to S-211
    [judged] = preview(provider, [path])

    assert (judged.path, judged.open) == (path, is_open)
    assert why in judged.why


def test_other_rules_can_be_tried(provider: ProxyProvider) -> None:
    """Without a change to those in force."""
    assert preview(provider, ["/admin"], "^/admin$")[0].open
    assert not preview(provider, ["/health"], "")[0].open
    provider.refresh_from_db()
    assert provider.skip_path_regex == "^/health$\n\\.png$"


@pytest.mark.parametrize("rule", ["(", "^(a+)+$", "(?=a)b", "(a)\\1", "(x{1000}){1000}"])
def test_what_is_not_linear_is_an_error(provider: ProxyProvider, rule: str) -> None:
    """It is refused when it is saved and when it is tried, and the message names the line."""  # S-212
    with pytest.raises(ValidationError) as refusal:
        require_usable(f"^/health$\n{rule}")
    assert rule in refusal.value.messages[0]
    with pytest.raises(ValidationError):
        preview(provider, ["/"], rule)
    with pytest.raises(ValidationError):
        update_proxy_provider(Actor.system(), provider, skip_path_regex=rule)


def test_not_too_many_at_once(provider: ProxyProvider) -> None:
    """A list that somebody pasted by mistake is an error."""
    with pytest.raises(ValidationError):
        preview(provider, ["/"] * (MOST + 1))


def test_rules_of_a_domain_see_the_whole_url(whoami: Application) -> None:
    """Scheme and host stand before the path; a bare path is meant at the login host."""  # S-213
    provider = ProxyProvider.objects.get(application=whoami)
    provider.mode, provider.external_host = "forward_domain", "https://login.example.test"
    rules = "^https://wiki\\.example\\.test/public"

    answers = preview(provider, ["https://Wiki.example.test/public/x", "/public/x"], rules)

    assert [judged.open for judged in answers] == [True, False]


@pytest.mark.parametrize("rule", [".*", "/", "^/", "^/$", "", "x*", "^/health$|.*"])
def test_a_rule_that_opens_everything_must_say_so(provider: ProxyProvider, rule: str) -> None:
    """The front page or all of it: refused, unless the line begins with the words that say it is meant."""  # S-211
    rules = f"^/health$\n{rule}"
    if rule:
        with pytest.raises(ValidationError, match="allowMatchAll"):
            update_proxy_provider(Actor.system(), provider, skip_path_regex=rules)
    Event.objects.all().delete()
    meant = update_proxy_provider(Actor.system(), provider, skip_path_regex=f"^/health$\n{ALLOW_MATCH_ALL}{rule}")

    assert preview(meant, ["/"])[0].open
    assert warnings() == [f"the rule “{ALLOW_MATCH_ALL}{rule}” may open all of the application to everybody"]


@pytest.mark.parametrize(
    ("rule", "named"),
    [("/health", True), ("^/health", False), ("(?i)^/Health$", False), (r"\.png$", True), ("(^/a|/b)", False)],
)
def test_a_rule_without_an_anchor_is_named(provider: ProxyProvider, rule: str, named: bool) -> None:
    """It works as it always has, and an event says that it is looked for anywhere."""  # S-211
    Event.objects.all().delete()
    update_proxy_provider(Actor.system(), provider, skip_path_regex=rule)

    assert preview(provider, ["/health", "/Health", "/x.png", "/a"])
    assert bool(warnings()) is named


def warnings() -> list[str]:
    found = Event.objects.filter(action="configuration_warning")
    return [str(event.context["message"]).partition(": ")[2] for event in found]
