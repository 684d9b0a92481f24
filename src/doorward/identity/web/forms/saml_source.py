"""What an administrator says about a SAML identity provider; most of it is in the provider's own metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.egress import client
from doorward.identity.flows import defaults
from doorward.identity.flows.models import Flow
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.sources.models import Source
from doorward.identity.sources.saml.errors import NotBelieved
from doorward.identity.sources.saml.models import SAMLSource
from doorward.identity.web.forms.fields import plain_input
from doorward.identity.web.forms.sources import SourceForm

if TYPE_CHECKING:
    from doorward.identity.sources.saml.provider_metadata import Described

_LARGEST = 256 * 1024


def _address(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=2000, widget=plain_input(inputmode="url"), help_text=help_text
    )


def _pair(label: str, help_text: str, *, own: bool) -> forms.ModelChoiceField:  # type: ignore[type-arg]
    pairs = CertificateKeyPair.objects.order_by("name")
    return forms.ModelChoiceField(
        pairs.exclude(sealed_key="") if own else pairs,
        label=label,
        required=False,
        empty_label=gettext_lazy("None"),
        help_text=help_text,
    )


class SAMLSourceForm(SourceForm):
    model = SAMLSource
    titled = gettext_lazy("SAML")
    # What a source that is not there yet has no value for, and what is read once and not kept.
    secret: ClassVar[frozenset[str]] = frozenset(
        {"metadata_url", "metadata", "certificate", "verification_kp", "pre_authentication_flow"}
    )
    sections_of: ClassVar[tuple[tuple[str, tuple[str, ...], bool], ...]] = (
        (gettext_lazy("Metadata of the provider"), ("metadata_url", "metadata"), False),
        (
            gettext_lazy("Where people log in, and who signs"),
            ("sso_url", "slo_url", "provider_entity_id", "verification_kp", "certificate"),
            False,
        ),
        (gettext_lazy("What it says is believed"), ("emails_are_verified", "allow_idp_initiated"), False),
        (
            gettext_lazy("Signatures, encryption, and how we ask"),
            (
                "signed_assertion", "signed_response", "binding_type", "name_id_policy", "force_authn", "signing_kp",
                "signature_algorithm", "digest_algorithm", "encryption_kp", "issuer_override",
                "pre_authentication_flow",
            ),
            True,
        ),
    )  # fmt: skip

    metadata_url = _address(
        gettext_lazy("Address of its metadata"),
        gettext_lazy("Fetched once, now. Everything in the next section is taken from it."),
    )
    metadata = forms.CharField(
        label="Or the metadata itself",
        required=False,
        max_length=_LARGEST,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        help_text="The whole XML document, pasted.",
    )
    sso_url = _address(
        gettext_lazy("Login URL"), gettext_lazy("Where people are sent to log in. Needed without metadata only.")
    )
    slo_url = _address(
        gettext_lazy("Log-out URL"), gettext_lazy("Where they are sent when they log out here. Empty: nowhere.")
    )
    provider_entity_id = _address(
        gettext_lazy("Its entity ID"),
        gettext_lazy("Who has to say who somebody is. Empty: whoever has the key, which may be more than one."),
    )
    verification_kp = _pair(
        gettext_lazy("Its certificate"), gettext_lazy("Every answer has to be signed with it."), own=False
    )
    certificate = forms.CharField(
        label="Or a new certificate",
        required=False,
        max_length=_LARGEST,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text="In PEM; two, one below the other, while the provider changes its key.",
    )
    emails_are_verified = forms.BooleanField(
        label="It proves e-mail addresses",
        required=False,
        help_text="Only then does an address open an account that is here already, where that is chosen below.",
    )
    allow_idp_initiated = forms.BooleanField(
        label="It may log people in who have asked for nothing",
        required=False,
        help_text="Needed for buttons in its own portal. Somebody can then be logged in as another without noticing.",
    )
    signed_assertion = forms.BooleanField(label="The assertion has to be signed", required=False)
    signed_response = forms.BooleanField(
        label="The response has to be signed", required=False, help_text="With neither, one of the two has to be."
    )
    binding_type = forms.ChoiceField(
        label="Our request travels",
        choices=[
            (SAMLSource.Binding.REDIRECT, gettext_lazy("In the address (HTTP-Redirect)")),
            (SAMLSource.Binding.POST_AUTO, gettext_lazy("In a form that sends itself (HTTP-POST)")),
            (SAMLSource.Binding.POST, gettext_lazy("In a form with a button (HTTP-POST)")),
        ],
    )
    name_id_policy = forms.ChoiceField(
        label="People are to be called by",
        choices=[("", gettext_lazy("Whatever it decides")), *SAMLSource.NameIdPolicy.choices],
        required=False,
    )
    force_authn = forms.BooleanField(label="It has to ask for the password each time", required=False)
    signing_kp = _pair(gettext_lazy("Our requests are signed with"), "", own=True)
    signature_algorithm = forms.ChoiceField(label="Signature algorithm", choices=SAMLSource.Algorithm.choices)
    digest_algorithm = forms.ChoiceField(label="Digest algorithm", choices=SAMLSource.Digest.choices)
    encryption_kp = _pair(gettext_lazy("Assertions are encrypted for"), gettext_lazy("An RSA key."), own=True)
    issuer_override = _address(gettext_lazy("Our entity ID"), gettext_lazy("Empty: the address of our metadata."))
    pre_authentication_flow = forms.ModelChoiceField(
        Flow.objects.order_by("slug"), label="Flow before people are sent there", empty_label=None
    )

    def __init__(
        self, data: Any = None, *, source: Source | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, source=source)
        first = source if isinstance(source, SAMLSource) else None
        usual = Flow.objects.filter(slug=defaults.SOURCE_PRE_AUTHENTICATION).first()
        self.initial["verification_kp"] = first.verification_kp if first else None
        self.initial["pre_authentication_flow"] = first.pre_authentication_flow if first else usual

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where neither metadata nor the fields say enough."""
        entered: dict[str, Any] = super().clean() or self.cleaned_data
        if entered.get("metadata_url") or entered.get("metadata"):
            described = self._described(entered)
            if described is not None:
                by_form = not described.sso_redirect
                entered |= {
                    "sso_url": described.sso_post if by_form else described.sso_redirect,
                    "slo_url": described.slo_redirect,
                    "provider_entity_id": described.entity_id,
                    "certificate": described.certificates_pem,
                }
                if by_form:
                    entered["binding_type"] = SAMLSource.Binding.POST_AUTO
        elif not entered.get("sso_url"):
            self.add_error("sso_url", _("Give its metadata above, or this address and its certificate."))
        elif not entered.get("verification_kp") and not entered.get("certificate"):
            self.add_error("verification_kp", _("Signatures are always checked: with which certificate?"))
        return entered

    def _described(self, entered: dict[str, Any]) -> Described | None:
        from doorward.identity.sources.saml import provider_metadata  # with its XML library

        name = "metadata" if entered.get("metadata") else "metadata_url"
        try:
            if name == "metadata":
                return provider_metadata.read(entered["metadata"].encode())
            return provider_metadata.fetched(entered["metadata_url"])
        except (client.NotAsked, NotBelieved) as error:
            self.add_error(name, ValidationError(str(error)))
            return None

    @property
    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in super().changes.items() if name not in ("metadata_url", "metadata")}
