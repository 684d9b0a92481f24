"""Who it is, the password, the session, consent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.flows.models import Flow
from doorward.identity.logins.bindings import GeoipBinding, NetworkBinding
from doorward.identity.sources.kinds import BEGINS
from doorward.identity.sources.models import Source
from doorward.identity.stages.models import (
    AuthenticatorValidateStage,
    ConsentStage,
    IdentificationStage,
    PasswordStage,
    UserLoginStage,
    UserLogoutStage,
)
from doorward.identity.web.forms.fields import DurationField
from doorward.identity.web.forms.stages.base import AnyFlowField, ChosenField, RelatedField, StageForm


class IdentificationForm(StageForm):
    model = IdentificationStage
    title = gettext_lazy("Identification")
    does = gettext_lazy("Asks who it is")

    user_fields = ChosenField(
        label="People may name themselves by",
        choices=[
            ("username", gettext_lazy("User name")),
            ("email", gettext_lazy("E-mail address")),
            ("upn", gettext_lazy("The attribute upn")),
        ],
        required=False,
        help_text="With none of them nobody can type a name: then only a passkey or another flow leads on.",
    )
    password_stage = forms.ModelChoiceField(
        PasswordStage.objects.all(),
        required=False,
        empty_label=gettext_lazy("On a page of its own"),
        label="Ask for the password on the same page",
        help_text="Under the settings of that stage. It is not asked for again where it stands later in the flow.",
    )
    webauthn_stage = forms.ModelChoiceField(
        AuthenticatorValidateStage.objects.all(),
        required=False,
        empty_label=gettext_lazy("No"),
        label="Offer passkeys in the name’s field",
        help_text="Under the settings of that stage. Whoever has a passkey need not type anything.",
    )
    case_insensitive_matching = forms.BooleanField(
        label="Upper and lower case are the same", required=False, help_text="“Bob” is then bob."
    )
    show_matched_user = forms.BooleanField(
        label="Show who was found",
        required=False,
        help_text="Kept for configurations that set it: our pages show what was typed, so that nobody learns who has "
        "an account.",
    )
    pretend_user_exists = forms.BooleanField(
        label="Go on with names that nobody has",
        required=False,
        help_text="A stranger then does not learn which names exist. Keep it on.",
    )
    enable_remember_me = forms.BooleanField(
        label="Offer to remember the name", required=False, help_text="The browser fills it in the next time."
    )
    passwordless_flow = AnyFlowField(
        Flow.Designation.AUTHENTICATION,
        label="Flow for logging in without a password",
        help_text="Offered as a link below the form.",
    )
    sources = RelatedField(
        Source.objects.filter(kind__in=BEGINS),
        label="Other places to log in at",
        required=False,
        help_text="Buttons below the form, the promoted ones first, then by name. Sources have pages of their own.",
    )
    show_source_labels = forms.BooleanField(
        label="Names beside their pictures",
        required=False,
        help_text="A promoted one, and one without a picture, shows its name in any case.",
    )
    enrollment_flow = AnyFlowField(
        Flow.Designation.ENROLLMENT,
        label="Flow for making an account",
        help_text="Offered as a link to whoever has none. Everybody who opens the page can follow it.",
    )
    recovery_flow = AnyFlowField(
        Flow.Designation.RECOVERY,
        label="Flow for a forgotten password",
        help_text="Offered as a link, here and on the page of the password.",
    )


class PasswordForm(StageForm):
    model = PasswordStage
    title = gettext_lazy("Password")
    does = gettext_lazy("Asks for the password")

    backends = ChosenField(
        label="What is taken",
        choices=[
            ("authentik.core.auth.InbuiltBackend", gettext_lazy("The password of the account here")),
            ("authentik.core.auth.TokenBackend", gettext_lazy("App passwords")),
            (
                "authentik.sources.ldap.auth.LDAPBackend",
                gettext_lazy("The password in the LDAP directory that somebody is from"),
            ),
        ],
        help_text="Where a password may come from.",
    )
    failed_attempts_before_cancel = forms.IntegerField(
        label="Wrong passwords before the flow starts over",
        min_value=1,
        max_value=100,
        help_text="Besides the limits for an account and an address, which no setting lifts.",
    )
    allow_show_password = forms.BooleanField(
        label="Offer to show the password", required=False, help_text="A button in the field; nothing else changes."
    )
    configure_flow = AnyFlowField(
        Flow.Designation.STAGE_CONFIGURATION,
        label="Flow for choosing another password",
        help_text="Its rules for passwords hold wherever one is chosen.",
    )

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        if not self.initial["backends"]:
            self.initial["backends"] = ["authentik.core.auth.InbuiltBackend"]


class UserLoginForm(StageForm):
    model = UserLoginStage
    title = gettext_lazy("User login")
    does = gettext_lazy("Logs in")

    session_duration = DurationField(
        label="A login lasts", help_text="For example hours=8, or days=1;hours=12. seconds=0: until the browser closes."
    )
    remember_me_offset = DurationField(
        label="Longer for whoever wants to stay logged in",
        help_text="Added when somebody says so on a page of its own. seconds=0: nobody is asked.",
    )
    terminate_other_sessions = forms.BooleanField(
        label="End their other logins", required=False, help_text="Everybody is then logged in at one browser only."
    )
    network_binding = forms.ChoiceField(
        label="Tied to the network",
        choices=[
            (NetworkBinding.NO_BINDING, gettext_lazy("No")),
            (NetworkBinding.BIND_ASN, gettext_lazy("To its operator")),
            (NetworkBinding.BIND_ASN_NETWORK, gettext_lazy("To the network itself")),
            (NetworkBinding.BIND_ASN_NETWORK_IP, gettext_lazy("To the address")),
        ],
        help_text="A request from elsewhere ends the login. Phones change networks, so this is not for everybody.",
    )
    geoip_binding = forms.ChoiceField(
        label="Tied to the place",
        choices=[
            (GeoipBinding.NO_BINDING, gettext_lazy("No")),
            (GeoipBinding.BIND_CONTINENT, gettext_lazy("To the continent")),
            (GeoipBinding.BIND_CONTINENT_COUNTRY, gettext_lazy("To the country")),
            (GeoipBinding.BIND_CONTINENT_COUNTRY_CITY, gettext_lazy("To the city")),
        ],
        help_text="Needs a database of places (identity.geoip). Without one, every other address is another place.",
    )


class UserLogoutForm(StageForm):
    model = UserLogoutStage
    title = gettext_lazy("User logout")
    does = gettext_lazy("Logs out")


class ConsentForm(StageForm):
    model = ConsentStage
    title = gettext_lazy("Consent")
    does = gettext_lazy("Asks whether the application may know")

    mode = forms.ChoiceField(
        label="Asks",
        choices=[
            (ConsentStage.Mode.EXPIRING, gettext_lazy("Again after a while")),
            (ConsentStage.Mode.PERMANENT, gettext_lazy("Once")),
            (ConsentStage.Mode.ALWAYS_REQUIRE, gettext_lazy("Every time")),
        ],
        help_text="Whoever agreed can take it back on their own page.",
    )
    consent_expire_in = DurationField(
        label="Consent holds for", help_text="Where it is asked again after a while. For example weeks=4."
    )
