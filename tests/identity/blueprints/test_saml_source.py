"""A SAML source as a blueprint: written by one, and written as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.identity.blueprints.exporting import export
from doorward.identity.sources.saml.models import SAMLSource
from peers.saml_provider import pair

if TYPE_CHECKING:
    from identity.blueprints.conftest import Apply

TEXT = """
    version: 1
    entries:
      - model: authentik_crypto.certificatekeypair
        id: theirs
        identifiers: {{name: theirs}}
        attrs:
          certificate_data: |
{certificate}
      - model: authentik_sources_saml.samlsource
        identifiers: {{slug: company}}
        attrs:
          name: Company
          sso_url: https://idp.example.test/sso
          verification_kp: !KeyOf theirs
          pre_authentication_flow: !Find [authentik_flows.flow, [slug, default-source-pre-authentication]]
          user_matching_mode: email_deny
"""


def test_it_comes_from_a_blueprint_and_goes_into_one(login_flows: None, apply: Apply) -> None:
    """With its certificate; and what is exported differs from it in nothing."""
    certificate = "\n".join(f"            {line}" for line in pair()[1].splitlines())
    apply(TEXT.format(certificate=certificate))
    source = SAMLSource.objects.get()
    assert (source.name, source.user_matching_mode, source.signed_assertion) == ("Company", "email_deny", True)
    text = export(source)
    assert "authentik_sources_saml.samlsource" in text and str(source.pk) not in text
    assert not apply(text, dry=True).writes
