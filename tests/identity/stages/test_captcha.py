"""The captcha stage: what a service says decides, and silence is a no."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from doorward.identity.crypto import vault
from doorward.identity.directory import passwords
from doorward.identity.directory.models import User
from doorward.identity.egress.client import LARGEST
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.stages.captcha_origins import origins
from doorward.identity.stages.models import CaptchaStage
from identity.flow_tab import LOGIN, Tab
from peers.captcha_service import SECRET, CaptchaService, captcha_service
from peers.processes import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Iterator[CaptchaService]:
    with captcha_service() as running:
        yield running


@pytest.fixture
def stage(service: CaptchaService, login_flows: None) -> CaptchaStage:
    """Between the name and the password."""
    made = CaptchaStage(
        name="captcha",
        public_key="site",
        js_url=f"{service.origin}/api.js",
        api_url=f"{service.origin}/siteverify?from=here",
    )
    made.private_key = SECRET
    made.full_clean()
    made.save()
    flow = Flow.objects.get(slug="default-authentication-flow")
    FlowStageBinding.objects.create(flow=flow, stage=made, order=15)
    return made


def at_captcha(client: Client) -> Tab:
    tab = Tab(client)
    tab.submit(uid_field="bob")
    assert "Are you a person?" in tab.text
    return tab


def test_a_good_answer_leads_on(
    client: Client, stage: CaptchaStage, service: CaptchaService, bob: User, password: str
) -> None:
    """The service was asked with secret, answer and address."""
    client.defaults["HTTP_X_FORWARDED_FOR"] = "192.0.2.7"
    tab = at_captcha(client)
    token = service.token()
    tab.submit(token=token)

    assert tab.has("password")
    assert service.asked == [{"secret": SECRET, "response": token, "remoteip": "192.0.2.7"}]
    assert tab.submit(password=password) == "/"


@pytest.mark.parametrize("token", ["", "forged", "x" * 5000])
def test_a_bad_one_does_not(client: Client, stage: CaptchaStage, token: str) -> None:
    """None at all, an invented one, a long one: the page stays and says so."""  # S-501
    tab = at_captcha(client)
    tab.submit(token=token)
    assert not tab.has("password")
    assert "scripts" in tab.text if not token else "did not succeed" in tab.text


def test_an_endless_one_is_none(client: Client, stage: CaptchaStage, service: CaptchaService) -> None:
    """Refused before anybody is asked."""
    tab = at_captcha(client)
    assert client.post(tab.url, {"step": tab.hidden("step"), "token": "x" * 20_000}).status_code == 400
    assert not service.asked


def test_an_answer_is_good_once(client: Client, stage: CaptchaStage, service: CaptchaService, bob: User) -> None:
    """Also where the service would take it again."""  # S-805
    service.lenient = True
    token = service.token()
    at_captcha(client).submit(token=token)

    again = at_captcha(Client())
    again.submit(token=token)

    assert "did not succeed" in again.text


def test_json_for_those_who_want_it(client: Client, stage: CaptchaStage, service: CaptchaService) -> None:
    """request_content_type."""
    CaptchaStage.objects.update(request_content_type="application/json")
    tab = at_captcha(client)
    tab.submit(token=service.token())
    assert tab.has("password")


@pytest.mark.parametrize(
    ("score", "strict", "passes"),
    [(0.9, True, True), (0.5, True, True), (0.49, True, False), (0.1, False, True), (None, True, True)],
)
def test_scores(
    client: Client, stage: CaptchaStage, service: CaptchaService, score: float | None, strict: bool, passes: bool
) -> None:
    """Within the thresholds, or error_on_invalid_score is off; services without scores have none."""
    service.score = score
    CaptchaStage.objects.update(error_on_invalid_score=strict)
    tab = at_captcha(client)
    tab.submit(token=service.token())
    assert tab.has("password") is passes


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (500, None),
        (302, None),
        (200, b""),
        (200, b"yes"),
        (200, b'{"success": "true"}'),
        (200, b'{"score": 1}'),
        (200, b" " * (LARGEST + 1)),
    ],
)
def test_silence_is_a_no(
    client: Client, stage: CaptchaStage, service: CaptchaService, status: int, raw: bytes | None
) -> None:
    """Errors, redirects, nonsense, an endless answer: nobody gets past, and an event says why; then it works again."""
    # S-502
    service.status, service.raw = status, raw
    CaptchaStage.objects.update(error_on_invalid_score=False)
    tab = at_captcha(client)
    tab.submit(token=service.token())

    assert not tab.has("password")
    assert "cannot be done right now" in tab.text
    event = Event.objects.get(action="configuration_error")
    assert service.origin in event.context["message"]
    assert SECRET not in json.dumps(event.context)

    service.status, service.raw = 200, None
    tab.submit(token=service.token())
    assert tab.has("password")


def test_a_service_that_is_down(client: Client, stage: CaptchaStage) -> None:
    """The same."""
    CaptchaStage.objects.update(api_url=f"http://127.0.0.1:{free_port()}/siteverify")
    tab = at_captcha(client)
    tab.submit(token="whatever")
    assert "cannot be done right now" in tab.text


def test_a_wrong_secret_is_an_administrators_matter(
    client: Client, stage: CaptchaStage, service: CaptchaService
) -> None:
    """Visitors are refused; an event names the cause."""
    stage.private_key = "another"
    stage.save()
    tab = at_captcha(client)
    tab.submit(token=service.token())
    assert not tab.has("password")
    assert "private key" in Event.objects.get(action="configuration_error").context["message"]


def test_a_secret_that_cannot_be_read_is_a_refusal(client: Client, stage: CaptchaStage) -> None:
    """Moved from another row, it does not decrypt; nobody gets past."""  # S-502, S-803
    CaptchaStage.objects.update(sealed_private_key=vault.seal(SECRET, "elsewhere"))
    tab = at_captcha(client)
    answer = client.post(tab.url, {"step": tab.hidden("step"), "token": "x"})
    assert answer.status_code == 500
    assert not Tab(client).has("password")


def test_an_address_that_sends_many_bad_ones_waits(
    client: Client, stage: CaptchaStage, service: CaptchaService
) -> None:
    """The service is not a target."""  # S-506
    client.defaults["HTTP_X_FORWARDED_FOR"] = "192.0.2.7"
    tab = at_captcha(client)
    step = tab.hidden("step")
    codes = [client.post(tab.url, {"step": step, "token": f"t{number}"}).status_code for number in range(31)]
    assert codes[-1] == 429
    assert len(service.asked) == 30
    passwords.throttle.forget()


def test_the_page_is_open_to_the_service_alone(client: Client, stage: CaptchaStage, service: CaptchaService) -> None:
    """Its script and its frames; the pages before and after are as closed as ever."""
    before = client.get(LOGIN)["Content-Security-Policy"]
    tab = at_captcha(client)
    policy = tab.response["Content-Security-Policy"]

    for directive in ("script-src 'self'", "connect-src 'self'", "style-src 'self'"):
        assert f"{directive} {service.origin};" in policy
    assert f"frame-src {service.origin};" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert service.origin not in before
    tab.submit(token=service.token())
    assert tab.response["Content-Security-Policy"] == before


def test_the_page_is_a_document_of_its_own(client: Client, stage: CaptchaStage, service: CaptchaService) -> None:
    """Where htmx would only swap a part, it is told to navigate; the form itself is a plain one."""
    tab = Tab(client)
    sent = {"step": tab.hidden("step"), "uid_field": "bob"}
    moved = client.post(tab.url, sent, headers={"HX-Request": "true"})
    answer = client.get(moved["Location"], headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == moved["Location"]
    assert "hx-post" not in tab.open().text


def test_without_scripts_the_page_says_so(client: Client, stage: CaptchaStage) -> None:
    """And has no button that could only fail."""
    tab = at_captcha(client)
    assert "needs a browser that runs scripts" in tab.text
    form = tab.text.partition("data-captcha")[2].partition("</form>")[0]
    assert "<button" not in form


def test_the_challenge_of_the_api(client: Client, stage: CaptchaStage, service: CaptchaService) -> None:
    """authentik's keys."""
    at_captcha(client)
    url = "/api/v3/flows/executor/default-authentication-flow/"
    challenge = client.get(url).json()
    assert challenge["component"] == "ak-stage-captcha"
    assert (challenge["site_key"], challenge["js_url"]) == ("site", f"{service.origin}/api.js")
    assert challenge["interactive"] is False
    assert SECRET not in json.dumps(challenge)
    wrong = client.post(url, {"token": "x"}, content_type="application/json").json()
    assert "token" in wrong["response_errors"]


@pytest.mark.parametrize(
    "url",
    [
        "http://captcha.example.test/api.js",
        "javascript:alert(1)",
        "/api.js",
        "https://",
        "https://me@x.test/",
        "https://[x",
    ],
)
def test_scripts_come_over_tls(url: str) -> None:
    """Or from this machine; what is no URL is refused as well."""
    stage = CaptchaStage(name="x", public_key="x", js_url=url)
    stage.private_key = "x"
    with pytest.raises(ValidationError):
        stage.full_clean()


def test_the_origins_of_the_big_three() -> None:
    """As their manuals ask for, no more."""
    assert origins("https://challenges.cloudflare.com/turnstile/v0/api.js") == ("https://challenges.cloudflare.com",)
    assert origins("https://www.recaptcha.net/recaptcha/api.js")[1:] == ("https://www.gstatic.com",)
    assert "https://*.hcaptcha.com" in origins("https://js.hcaptcha.com/1/api.js")
    assert origins("https://captcha.example.test:8443/x.js?a=b") == ("https://captcha.example.test:8443",)
