"""How you log in: your passkeys, apps and recovery codes, and the browsers that are not asked for them.

Adding and taking away needs a login of the last five minutes that has shown the factors there are (S-512); whoever
has another one is sent through the login and comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorward.identity.authenticators import actions, queries, relying_party, remembered
from doorward.identity.authenticators.models import (
    Device,
    DeviceClass,
    EmailDevice,
    RememberedDevice,
    WebAuthnDevice,
)
from doorward.identity.crypto import vault
from doorward.identity.events.actor import Actor
from doorward.identity.flows.configure import prove_again
from doorward.identity.logins.queries import current
from doorward.identity.mail import outbox
from doorward.identity.stages.models import (
    AuthenticatorEmailStage,
    AuthenticatorStaticStage,
    AuthenticatorTOTPStage,
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
    SetUpStage,
)
from doorward.identity.web.forms.factors import FactorNameForm
from doorward.identity.web.pages.access import person, signed_in
from doorward.identity.web.pages.answers import done, errors_at, show_own, status_of
from doorward.identity.web.pages.browsers import named

FACTORS = "/if/user/factors/"
FEW_CODES = 3
KINDS = {
    DeviceClass.WEBAUTHN: (gettext_noop("Passkey or security key"), "fingerprint-pattern"),
    DeviceClass.TOTP: (gettext_noop("Authenticator app"), "smartphone"),
    DeviceClass.STATIC: (gettext_noop("Recovery codes"), "life-buoy"),
    DeviceClass.EMAIL: (gettext_noop("Codes by e-mail"), "mail"),
}


@dataclass(frozen=True, slots=True)
class SeenFactor:
    device: Device
    kind: str
    icon: str
    note: str
    """What its owner should know about it."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """A way to set up one more."""

    stage: UUID
    text: str
    icon: str


@dataclass(frozen=True, slots=True)
class SeenBrowser:
    remembered: RememberedDevice
    browser: str
    is_this: bool


@require_GET
@signed_in
def factors(request: HttpRequest) -> HttpResponse:
    """``/if/user/factors/``"""
    user = person(request)
    devices, codes = queries.devices(user), queries.codes_left(user)
    return show_own(
        request,
        "factors.html",
        title=_("How you log in"),
        factors=[seen(device, codes) for device in devices],
        advice=_advice(devices, codes),
        set_ups=_set_ups(devices),
        browsers=_browsers(request),
    )


@require_http_methods(["GET", "POST"])
@signed_in
def rename(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/user/factors/<uuid>/``"""
    device = _own(request, uuid)
    form = FactorNameForm(request.POST if request.method == "POST" else None, initial={"name": device.name})
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.rename(Actor.of(request), device, form.cleaned_data["name"])
            return done(request, FACTORS, _("Saved."))
    return show_own(
        request,
        "rename_factor.html",
        title=_("Rename %(device)s") % {"device": device},
        form=form,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@signed_in
def remove(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/user/factors/<uuid>/remove/``: ends all other logins (S-520)."""
    device = _own(request, uuid)
    if (first := prove_again(request, request.path)) is not None:
        return first
    if request.method == "POST":
        login = current(request)
        actions.remove(Actor.of(request), device, keep_sid=login.sid if login else "")
        return done(
            request, FACTORS, _("“%(device)s” is removed. All your other logins have ended.") % {"device": device}
        )
    others = [other for other in queries.usable(person(request)) if other.uuid != uuid]
    return show_own(
        request,
        "remove_factor.html",
        title=_("Remove %(device)s") % {"device": device},
        device=device,
        is_last=not others,
    )


@require_POST
@signed_in
def forget(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One browser of the user's own; another's is not there (S-602)."""
    actions.forget(Actor.of(request), get_object_or_404(person(request).remembered_devices, pk=uuid))
    return done(request, FACTORS, _("That browser is asked for your second factor again."))


@require_POST
@signed_in
def forget_all(request: HttpRequest) -> HttpResponse:
    """All of them, this one as well."""
    number = actions.forget_all(Actor.of(request), person(request))
    return done(
        request, FACTORS, _("Every browser is asked for your second factor.") if number else _("There was none.")
    )


def _own(request: HttpRequest, uuid: UUID) -> Device:
    device = queries.device_by_uuid(person(request), uuid)
    if device is None:
        raise Http404
    return device


def seen(device: Device, codes: int) -> SeenFactor:
    """``codes``: how many recovery codes its owner has left."""
    kind, icon = KINDS[device.CLASS]
    note = ""
    if device.CLASS == DeviceClass.STATIC:
        note = ngettext("%(n)s left", "%(n)s left", codes) % {"n": codes} if codes else _("None left")
    if isinstance(device, WebAuthnDevice):
        note = _("On all your devices") if device.backed_up else _("On one device only")
    if isinstance(device, EmailDevice):
        note = device.email
    return SeenFactor(device, kind, icon, note)


def _advice(devices: list[Device], codes: int) -> str:
    """The one thing that is most worth doing."""
    classes = {device.CLASS for device in devices}
    if not classes:
        return _("Your password is all that protects your account. A passkey is safer, and quicker than typing it.")
    if DeviceClass.STATIC not in classes:
        return _("Make recovery codes, so that losing a device does not lock you out.")
    if codes <= FEW_CODES:
        return _("You have few recovery codes left. Make new ones before they run out.")
    return ""


def _set_ups(devices: list[Device]) -> list[SetUp]:
    has_codes = any(device.CLASS == DeviceClass.STATIC for device in devices)
    ways: list[tuple[type[SetUpStage], str, str]] = [
        (AuthenticatorTOTPStage, _("Add an authenticator app"), "smartphone"),
        (
            AuthenticatorStaticStage,
            _("Make new recovery codes") if has_codes else _("Make recovery codes"),
            "life-buoy",
        ),
    ]
    if relying_party.is_possible():
        ways.insert(0, (AuthenticatorWebAuthnStage, _("Add a passkey or security key"), "fingerprint-pattern"))
    if _takes_letters():
        ways.insert(-1, (AuthenticatorEmailStage, _("Get codes by e-mail"), "mail"))
    return [SetUp(stage.pk, text, icon) for kind, text, icon in ways if (stage := _stage(kind)) is not None]


def _takes_letters() -> bool:
    """Whether codes by e-mail would be asked for: a factor that no login wants protects nothing."""
    stages = AuthenticatorValidateStage.objects.values_list("device_classes", flat=True)
    return outbox.is_configured() and any(DeviceClass.EMAIL in classes for classes in stages)


def _stage(kind: type[SetUpStage]) -> SetUpStage | None:
    """The first stage of this kind that people may go through by themselves."""
    return kind._default_manager.filter(configure_flow__isnull=False).order_by("name").first()


def _browsers(request: HttpRequest) -> list[SeenBrowser]:
    user = person(request)
    this = vault.digest(request.COOKIES.get(remembered.cookie_name(user), ""))
    return [SeenBrowser(row, named(row.user_agent)[0], row.token_hash == this) for row in queries.remembered(user)]
