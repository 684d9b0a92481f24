"""C12, S-529: after a login one stays on this host."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from doorward.identity.directory.models import User
from doorward.identity.flows.next_url import safe_next
from identity.flow_tab import LOGIN, Tab

FOREIGN = [
    "https://evil/",
    "//evil/",
    "///evil/",
    "/\\evil.test",
    "\\\\evil.test",
    "https:evil.test",
    "javascript:alert(1)",
    " /evil",
    "\t//evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "/%0a/x y",
    "evil",
    "",
    "/" + "a" * 9000,
]


@pytest.mark.parametrize("url", FOREIGN)
def test_what_is_no_path_of_this_host_is_dropped(url: str) -> None:
    """Nothing is repaired: what a browser could read in two ways is no destination."""  # S-529
    assert safe_next(url) == ""


@pytest.mark.parametrize("url", ["/", "/if/user/", "/a?b=c&next=https://x.test/", "/a#b", "/a//b", "/a:b"])
def test_paths_are_kept(url: str) -> None:
    """As they are, query included."""
    assert safe_next(url) == url


@given(st.text(alphabet="/\\:@?#.\t\n evil%2", max_size=12))
def test_what_passes_begins_with_exactly_one_slash(url: str) -> None:
    """Whatever is made of the dangerous characters."""  # S-529
    passed = safe_next(url)

    assert passed == "" or (passed[0] == "/" and passed[1:2] not in {"/", "\\"} and not set(passed) & set("\\\t\n "))


@pytest.mark.django_db
@pytest.mark.parametrize("url", FOREIGN[:7])
def test_a_login_does_not_lead_elsewhere(client: Client, flows: None, akadmin: User, password: str, url: str) -> None:
    """A link with a foreign ``next`` logs in as usual and ends at the start page."""  # S-529
    tab = Tab(client, f"{LOGIN}?next={quote(url)}")

    assert tab.log_in("akadmin", password) == "/"
    assert client.get(f"{LOGIN}?next={quote(url)}")["Location"] == "/"
    assert client.get(f"/flows/-/cancel/?next={quote(url)}")["Location"].startswith("/flows/-/")
