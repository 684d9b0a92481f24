"""What clients are told an object is: the component that edits it, its readable kind, and the original's model name."""

from __future__ import annotations

from typing import Any, NamedTuple

from rest_framework import serializers
from rest_framework.response import Response


class Description(NamedTuple):
    component: str
    verbose_name: str
    verbose_name_plural: str
    meta_model_name: str
    explanation: str = ""


PROVIDERS = {
    "proxy": Description(
        "ak-provider-proxy-form",
        "Proxy Provider",
        "Proxy Providers",
        "authentik_providers_proxy.proxyprovider",
        "A login in front of a web application that has none of its own.",
    ),
    "oauth2": Description(
        "ak-provider-oauth2-form",
        "OAuth2/OpenID Provider",
        "OAuth2/OpenID Providers",
        "authentik_providers_oauth2.oauth2provider",
        "Login for applications that speak OpenID Connect or OAuth2.",
    ),
}

STAGES = {
    "identification": Description(
        "ak-stage-identification-form",
        "Identification Stage",
        "Identification Stages",
        "authentik_stages_identification.identificationstage",
        "Asks who the user is.",
    ),
    "password": Description(
        "ak-stage-password-form",
        "Password Stage",
        "Password Stages",
        "authentik_stages_password.passwordstage",
        "Asks for the user's password.",
    ),
    "userlogin": Description(
        "ak-stage-user-login-form",
        "User Login Stage",
        "User Login Stages",
        "authentik_stages_user_login.userloginstage",
        "Logs the user in.",
    ),
    "userlogout": Description(
        "ak-stage-user-logout-form",
        "User Logout Stage",
        "User Logout Stages",
        "authentik_stages_user_logout.userlogoutstage",
        "Logs the user out.",
    ),
    "consent": Description(
        "ak-stage-consent-form",
        "Consent Stage",
        "Consent Stages",
        "authentik_stages_consent.consentstage",
        "Asks the user what an application may be told.",
    ),
    "authenticatorvalidate": Description(
        "ak-stage-authenticator-validate-form",
        "Authenticator Validation Stage",
        "Authenticator Validation Stages",
        "authentik_stages_authenticator_validate.authenticatorvalidatestage",
        "Asks for a second factor, or for a passkey alone.",
    ),
    "authenticatortotp": Description(
        "ak-stage-authenticator-totp-form",
        "TOTP Authenticator Setup Stage",
        "TOTP Authenticator Setup Stages",
        "authentik_stages_authenticator_totp.authenticatortotpstage",
        "Sets up an app that shows codes.",
    ),
    "authenticatorstatic": Description(
        "ak-stage-authenticator-static-form",
        "Static Authenticator Setup Stage",
        "Static Authenticator Setup Stages",
        "authentik_stages_authenticator_static.authenticatorstaticstage",
        "Gives the user recovery codes.",
    ),
    "authenticatoremail": Description(
        "ak-stage-authenticator-email-form",
        "Email Authenticator Setup Stage",
        "Email Authenticator Setup Stages",
        "authentik_stages_authenticator_email.authenticatoremailstage",
        "Sets up codes by e-mail.",
    ),
    "authenticatorwebauthn": Description(
        "ak-stage-authenticator-webauthn-form",
        "WebAuthn Authenticator Setup Stage",
        "WebAuthn Authenticator Setup Stages",
        "authentik_stages_authenticator_webauthn.authenticatorwebauthnstage",
        "Sets up a passkey or a security key.",
    ),
    "captcha": Description(
        "ak-stage-captcha-form",
        "Captcha Stage",
        "Captcha Stages",
        "authentik_stages_captcha.captchastage",
        "Lets nobody through whom a captcha service takes for a program.",
    ),
    "email": Description(
        "ak-stage-email-form",
        "Email Stage",
        "Email Stages",
        "authentik_stages_email.emailstage",
        "Sends a link that leads back into the flow.",
    ),
    "prompt": Description(
        "ak-stage-prompt-form",
        "Prompt Stage",
        "Prompt Stages",
        "authentik_stages_prompt.promptstage",
        "Asks for anything.",
    ),
    "userwrite": Description(
        "ak-stage-user-write-form",
        "User Write Stage",
        "User Write Stages",
        "authentik_stages_user_write.userwritestage",
        "Writes what prompts have collected to a user.",
    ),
    "userdelete": Description(
        "ak-stage-user-delete-form",
        "User Delete Stage",
        "User Delete Stages",
        "authentik_stages_user_delete.userdeletestage",
        "Deletes the account of whoever is logged in.",
    ),
    "invitation": Description(
        "ak-stage-invitation-form",
        "Invitation Stage",
        "Invitation Stages",
        "authentik_stages_invitation.invitationstage",
        "Lets only those through who were invited.",
    ),
    "deny": Description(
        "ak-stage-deny-form",
        "Deny Stage",
        "Deny Stages",
        "authentik_stages_deny.denystage",
        "Lets nobody through.",
    ),
    "dummy": Description(
        "ak-stage-dummy-form",
        "Dummy Stage",
        "Dummy Stages",
        "authentik_stages_dummy.dummystage",
        "Shows a button, to try out flows.",
    ),
    "redirect": Description(
        "ak-stage-redirect-form",
        "Redirect Stage",
        "Redirect Stages",
        "authentik_stages_redirect.redirectstage",
        "Goes on at another address or in another flow.",
    ),
}

POLICIES = {
    "password": Description(
        "ak-policy-password-form",
        "Password Policy",
        "Password Policies",
        "authentik_policies_password.passwordpolicy",
        "Says what a password must be like.",
    ),
    "expression": Description(
        "ak-policy-expression-form",
        "Expression Policy",
        "Expression Policies",
        "authentik_policies_expression.expressionpolicy",
        "Passes where its expression returns something true.",
    ),
    "reputation": Description(
        "ak-policy-reputation-form",
        "Reputation Policy",
        "Reputation Policies",
        "authentik_policies_reputation.reputationpolicy",
        "Passes for names and addresses whose logins have failed.",
    ),
    "passwordexpiry": Description(
        "ak-policy-password-expiry-form",
        "Password Expiry Policy",
        "Password Expiry Policies",
        "authentik_policies_expiry.passwordexpirypolicy",
        "Passes while the password is younger than a number of days.",
    ),
    "uniquepassword": Description(
        "ak-policy-password-uniqueness-form",
        "Password Uniqueness Policy",
        "Password Uniqueness Policies",
        "authentik_policies_unique_password.uniquepasswordpolicy",
        "Passes where a new password is none of the former ones.",
    ),
    "dummy": Description(
        "ak-policy-dummy-form",
        "Dummy Policy",
        "Dummy Policies",
        "authentik_policies_dummy.dummypolicy",
        "Says what it is told to; to try out bindings.",
    ),
    "eventmatcher": Description(
        "ak-policy-event-matcher-form",
        "Event Matcher Policy",
        "Event Matcher Policies",
        "authentik_policies_event_matcher.eventmatcherpolicy",
        "Passes for some events; for notification rules.",
    ),
    "geoip": Description(
        "ak-policy-geoip-form",
        "GeoIP Policy",
        "GeoIP Policies",
        "authentik_policies_geoip.geoippolicy",
        "Passes by country, by network, and by the way from earlier logins.",
    ),
    "network": Description(
        "doorward-policy-network-form",
        "Network Policy",
        "Network Policies",
        "policies.networkpolicy",
        "Passes for requests from some networks.",
    ),
    "timewindow": Description(
        "doorward-policy-time-window-form",
        "Time Window Policy",
        "Time Window Policies",
        "policies.timewindowpolicy",
        "Passes on some days of the week, between two times.",
    ),
}

SCOPE_MAPPING = Description(
    "ak-property-mapping-provider-scope-form",
    "Scope Mapping",
    "Scope Mappings",
    "authentik_providers_oauth2.scopemapping",
    "Claims that an application is told when it asks for a scope.",
)


class DescribedSerializer(serializers.Serializer[Any]):
    """Mixed into the serializer of a kind of objects; ``describe`` says what one of them is."""

    component = serializers.SerializerMethodField()
    verbose_name = serializers.SerializerMethodField()
    verbose_name_plural = serializers.SerializerMethodField()
    meta_model_name = serializers.SerializerMethodField()

    def describe(self, instance: Any) -> Description:
        raise NotImplementedError

    def get_component(self, instance: Any) -> str:
        return self.describe(instance).component

    def get_verbose_name(self, instance: Any) -> str:
        return self.describe(instance).verbose_name

    def get_verbose_name_plural(self, instance: Any) -> str:
        return self.describe(instance).verbose_name_plural

    def get_meta_model_name(self, instance: Any) -> str:
        return self.describe(instance).meta_model_name


DESCRIBED = ("component", "verbose_name", "verbose_name_plural", "meta_model_name")


class TypeCreate(serializers.Serializer[Any]):
    """One kind of object that can be created, for a client's menu."""

    name = serializers.CharField()
    description = serializers.CharField()
    component = serializers.CharField()
    model_name = serializers.CharField()


def menu(*kinds: Description) -> Response:
    """Answer to ``…/types/``."""
    return Response(
        [
            {
                "name": kind.verbose_name,
                "description": kind.explanation,
                "component": kind.component,
                "model_name": kind.meta_model_name.rpartition(".")[2],
                "icon_url": None,
                "requires_enterprise": False,
                "deprecated": False,
            }
            for kind in kinds
        ]
    )
