"""Cases about features that do not exist here: a configuration that asks for one is refused as a whole, so that no
route is ever served without what its author meant to stand before it; and what comes nearest to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.messages.http import HttpAnswer
from doorward.messages.routing import StripPrefix
from doorward.proxy.middlewares.strip_prefix import StripPrefixMiddleware
from doorward.wire.path import BadPath, canonical_path
from peers.processes import eventually
from proxy.made import admitted
from security.stage import Stage

pytestmark = pytest.mark.timeout(60)

UNSUPPORTED = {
    "errors": "{status: ['500-599'], service: a, query: '/{status}.html'}",  # S-126
    "basicAuth": "{users: ['bob:$apr1$x$y'], headerField: X-User, removeHeader: true}",  # S-127
    "digestAuth": "{users: ['bob:realm:x'], headerField: X-User}",
    "replacePathRegex": "{regex: '^/a/(.*)', replacement: '/b/$1'}",  # S-215
    "replacePath": "{path: /a}",
    "rateLimit": "{average: 100, redis: {endpoints: ['127.0.0.1:1']}}",  # S-928
}


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_a_middleware_that_does_not_exist_opens_nothing(stage: Stage, kind: str) -> None:
    """No error page service is shown credentials, no path is rewritten, no limit is one in name only: the whole file is
    refused with the reason, and everything that was protected before stays so."""
    # S-126, S-127, S-215, S-928
    file = stage.folder / "routes.yml"
    good = file.read_text()
    bad = good.replace("  middlewares:\n", f"  middlewares:\n    added: {{{kind}: {UNSUPPORTED[kind]}}}\n", 1)
    bad = bad.replace("middlewares: [fused]", "middlewares: [added]")
    assert bad != good
    where = f"http.middlewares.added.{kind}"
    try:
        file.write_text(bad)
        eventually(lambda: where in stage.program.last_words(), within=20, what="the file is refused")
        assert "Doorward does not support it yet" in stage.program.last_words()
        with stage.application.watched() as arrived:
            assert stage.ask("app", target=b"/secret").status in (302, 401)
        assert arrived == []
    finally:
        file.write_text(good)
    assert stage.reached(stage.ask("open"))


def test_what_the_auth_server_sets_is_single_and_its_own(stage: Stage) -> None:
    """A user name that an authentication sets: the client's copies in any case, with ``_``, or twice, are gone."""
    # S-127
    lies = (
        b"x-AUTHENTIK-username: root",
        b"X-Authentik-Username: root",
        b"X_authentik_username: root",
        b"x-authentik_username: root",
    )
    with stage.application.watched() as arrived:
        assert stage.ask("judged", *lies, target=b"/").status == 200

    (request,) = arrived
    names = [name.lower().replace(b"_", b"-") for name, _ in request.headers]
    assert names.count(b"x-authentik-username") == 1
    assert request.one(b"X-authentik-username") == b"judge"


@given(st.text("./%2eEfF;ab", max_size=20), st.sampled_from(["/a", "/a/", "/a/b", "/"]))
def test_a_path_that_was_cut_is_canonical_again(tail: str, prefix: str) -> None:
    """The only rewriting that there is leaves a canonical path, or the request is refused."""
    # S-215
    try:
        path = canonical_path((prefix + tail).encode())
    except BadPath:
        return
    request = admitted(target=path)
    outcome = StripPrefixMiddleware(StripPrefix("strip@file", (prefix,))).enter(request)
    if outcome is None:
        assert canonical_path(request.path) == request.path
    else:
        assert isinstance(outcome, HttpAnswer)
        assert outcome.status == 400
