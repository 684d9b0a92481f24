"""What a list may be asked, and that it tells nothing else (S-606, S-607)."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    "query",
    [
        "password__startswith=argon2",
        "user__password=x",
        "key_hash=0",
        "sealed_key__gt=a",
        "usernam=bob",
        "ordering=password",
        "ordering=-key_hash",
        "ordering=user__password",
        "ordering=username,password",
        "attributes=%7B%22a__contains%22%3A1%7D",
        "attributes=nonsense",
        "is_active=maybe&uuid=zzz",
        "search=%00",
        "username=%00",
        "username=a%00b",
    ],
)
def test_what_is_not_offered_is_refused(admin_api: Any, query: str) -> None:
    """A filter, order or search over anything else is a 400, never ignored and never applied."""  # S-606
    assert admin_api.call("GET", f"core/users/?{query}").status_code == 400


@pytest.mark.parametrize("text", ["' OR 1=1--", "%", "_", "\\", "%25", "😀", "a" * 5000])
def test_text_that_means_something_to_a_database_means_nothing(admin_api: Any, text: str) -> None:
    """Bound as a value in filters and searches."""  # S-607
    from urllib.parse import quote

    assert admin_api.get(f"core/users/?username={quote(text)}")["results"] == []
    assert admin_api.get(f"core/users/?search={quote(text)}")["results"] == []


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "99999999999999999999999", "%00", "' OR 1=1"])
def test_there_are_no_forged_pages(admin_api: Any, page: str) -> None:
    """A page that is no page is not found."""  # S-607
    from urllib.parse import quote

    assert admin_api.refused("GET", f"core/users/?page={quote(page)}") == (404, {"detail": "Invalid page."})


def test_a_page_has_at_most_a_hundred(admin_api: Any) -> None:
    """More is clamped."""
    from doorward.identity.directory.models import Group

    Group.objects.bulk_create(Group(name=f"group {number}", num_pk=1000 + number) for number in range(120))

    page = admin_api.get("core/groups/?page_size=100000")

    assert len(page["results"]) == 100
    assert page["pagination"] | {"count": 0} == {
        "next": 2,
        "previous": 0,
        "count": 0,
        "current": 1,
        "total_pages": 2,
        "start_index": 1,
        "end_index": 100,
    }


def test_a_list_costs_the_same_for_many(admin_api: Any, django_assert_max_num_queries: Any) -> None:
    """The number of queries does not grow with the users on a page."""
    from doorward.identity.directory.actions import create_user
    from doorward.identity.directory.models import Group
    from doorward.identity.events.actor import Actor

    groups = [Group.objects.create(name=f"group {number}") for number in range(3)]
    for number in range(30):
        create_user(Actor.system(), username=f"user{number}", groups=groups)

    with django_assert_max_num_queries(16):
        assert len(admin_api.get("core/users/?page_size=100")["results"]) == 31


def test_applications_cost_the_same_for_many(
    admin_api: Any, provider_body: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    """Their providers, launch URLs and bindings are read together."""
    for number in range(12):
        body = {"name": f"p{number}", "external_host": f"https://a{number}.example.test"}
        made = admin_api.post("providers/proxy/", provider_body | body)
        admin_api.post("core/applications/", {"name": "A", "slug": f"a{number}", "provider": made["pk"]})

    with django_assert_max_num_queries(16):
        assert len(admin_api.get("core/applications/?only_with_launch_url=true")["results"]) == 12


@pytest.mark.parametrize(
    "path",
    [
        "core/users/%00/",
        "core/users/1%20or%201/",
        "core/users/99999999999999999999/",
        "core/groups/../users/",
        "core/groups/nonsense/",
        "core/tokens/a%00b/",
        "core/applications/%2e%2e/",
        "flows/instances/a%2fb/",
        "outposts/instances/00000000000000000000000000000000000/",
    ],
)
def test_keys_that_are_none_find_nothing(admin_api: Any, path: str) -> None:
    """404 whatever stands in the path."""  # S-607, S-618
    assert admin_api.call("GET", path).status_code == 404
