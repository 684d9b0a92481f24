"""Second factors by the official client: listed, named, removed; and the flow stages that ask for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

KINDS = ("totp", "static", "webauthn", "email")
MODELS = {"email": "EmailDevice", "totp": "TOTPDevice", "static": "StaticDevice", "webauthn": "WebAuthnDevice"}


@pytest.fixture
def factors(installed: None) -> dict[str, Any]:
    """One factor of each kind, of akadmin."""
    from doorward.identity.directory.models import User
    from identity.authenticators.soft_key import SoftKey
    from identity.factors import give_app, give_codes, give_key, give_mailbox

    user = User.objects.get(username="akadmin")
    return {
        "totp": give_app(user),
        "static": give_codes(user)[0],
        "webauthn": give_key(user, SoftKey()),
        "email": give_mailbox(user, "root@example.test"),
    }


def test_all_factors_in_one_list(api: Any, factors: dict[str, Any]) -> None:
    """Of oneself, of one user, of everybody."""
    mine = api.authenticators_all_list()

    assert [device.type for device in mine] == ["WebAuthnDevice", "TOTPDevice", "StaticDevice", "EmailDevice"]
    assert all(device.confirmed for device in mine)
    user = factors["totp"].user_id
    assert [device.pk for device in api.authenticators_admin_all_list(user=user)] == [device.pk for device in mine]
    assert len(api.authenticators_admin_all_list()) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_factor_of_ones_own(api: Any, official: Any, factors: dict[str, Any], kind: str) -> None:
    """Found, named; not removed by a token, which cannot show a second factor."""
    of_kind, request, patched = operations(api, official, kind, "authenticators")
    (found,) = of_kind("list", name=factors[kind].name).results

    assert found.user.username == "akadmin"
    assert of_kind("retrieve", found.pk).name == factors[kind].name
    assert of_kind("update", found.pk, request(name="Mine")).name == "Mine"
    assert of_kind("partial_update", found.pk, **patched(name="Ours")).name == "Ours"
    assert of_kind("used_by_list", found.pk) == []
    with pytest.raises(official.exceptions.ForbiddenException):
        of_kind("destroy", found.pk)


@pytest.mark.parametrize("kind", KINDS)
def test_a_factor_of_anybodys(api: Any, official: Any, factors: dict[str, Any], kind: str) -> None:
    """An administrator helps somebody who lost theirs."""
    of_kind, request, patched = operations(api, official, kind, "authenticators_admin")
    (found,) = of_kind("list").results

    assert of_kind("retrieve", found.pk).pk == found.pk
    assert of_kind("update", found.pk, request(name="Mine")).name == "Mine"
    assert of_kind("partial_update", found.pk, **patched(name="Ours")).name == "Ours"
    assert of_kind("destroy", found.pk) is None
    assert of_kind("list").results == []


def operations(
    api: Any, official: Any, kind: str, room: str
) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., dict[str, Any]]]:
    """Calls an operation of this kind; makes its request; makes the argument of a partial update."""
    model = MODELS[kind]
    parameter = f"patched_{kind.replace('webauthn', 'web_authn')}_device_request"

    def of_kind(operation: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(api, f"{room}_{kind}_{operation}")(*args, **kwargs)

    def patched(**fields: Any) -> dict[str, Any]:
        return {parameter: getattr(official, f"Patched{model}Request")(**fields)}

    def request(**fields: Any) -> Any:
        more: dict[str, Any] = {"token_set": []} if kind == "static" else {}
        return getattr(official, f"{model}Request")(**fields, **more)

    return of_kind, request, patched


def test_who_must_set_up_what(api: Any, official: Any, flow: Callable[[str], Any]) -> None:
    """A validation stage that makes people set up a factor, with the stage for it and its flow."""
    app = api.stages_authenticator_totp_create(
        official.AuthenticatorTOTPStageRequest(
            name="app", digits="6", configure_flow=flow("default-authenticator-totp-setup")
        )
    )
    made = api.stages_authenticator_validate_create(
        official.AuthenticatorValidateStageRequest(
            name="ask", not_configured_action="configure", configuration_stages=[app.pk]
        )
    )
    assert made.configuration_stages == [app.pk]
    assert {user.name for user in api.stages_all_used_by_list(app.pk)} == {"ask"}

    less = api.stages_authenticator_validate_partial_update(
        made.pk,
        patched_authenticator_validate_stage_request=official.PatchedAuthenticatorValidateStageRequest(
            configuration_stages=[]
        ),
    )
    assert less.configuration_stages == []
    (login,) = api.stages_password_list(name="default-authentication-password").results
    with pytest.raises(official.exceptions.BadRequestException):
        api.stages_authenticator_validate_partial_update(
            made.pk,
            patched_authenticator_validate_stage_request=official.PatchedAuthenticatorValidateStageRequest(
                configuration_stages=[login.pk]
            ),
        )


def test_a_passkey_on_the_first_page(api: Any, official: Any) -> None:
    """The identification stage names the validation stage whose settings its passkeys follow."""
    (ask,) = api.stages_authenticator_validate_list(name="default-authentication-mfa-validation").results
    (first,) = api.stages_identification_list(name="default-authentication-identification").results

    changed = api.stages_identification_partial_update(
        first.pk,
        patched_identification_stage_request=official.PatchedIdentificationStageRequest(webauthn_stage=ask.pk),
    )

    assert changed.webauthn_stage == ask.pk
