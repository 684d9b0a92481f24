"""The unmodified ``authentik-client`` sets an application up, as people's scripts do."""

from __future__ import annotations

import time
from collections.abc import Iterator

import authentik_client
import pytest
from authentik_client import ApiClient, Configuration
from authentik_client.api.core_api import CoreApi
from authentik_client.api.events_api import EventsApi
from authentik_client.api.flows_api import FlowsApi
from authentik_client.api.outposts_api import OutpostsApi
from authentik_client.api.policies_api import PoliciesApi
from authentik_client.api.providers_api import ProvidersApi
from authentik_client.api.root_api import RootApi
from authentik_client.exceptions import ForbiddenException

from peers.api import Api
from peers.program import TOKEN, Program

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def client(program: Program) -> Iterator[ApiClient]:
    with ApiClient(Configuration(host=f"{program.plain}/api/v3", access_token=TOKEN)) as client:
        yield client


def test_a_script_protects_an_application_within_a_second(own_program: Program) -> None:
    """On a fresh server: provider, application, embedded outpost; then the host is protected, without a restart."""
    own_program.start()
    with ApiClient(Configuration(host=f"{own_program.plain}/api/v3", access_token=TOKEN)) as client:
        flows = FlowsApi(client)
        authorization = flows.flows_instances_list(slug="default-provider-authorization-implicit-consent").results[0]
        invalidation = flows.flows_instances_list(slug="default-provider-invalidation-flow").results[0]
        authentication = flows.flows_instances_list(slug="default-authentication-flow").results[0]
        provider = ProvidersApi(client).providers_proxy_create(
            authentik_client.ProxyProviderRequest(
                name="test-auth-proxy",
                authorization_flow=authorization.pk,
                invalidation_flow=invalidation.pk,
                authentication_flow=authentication.pk,
                mode=authentik_client.ProxyMode.FORWARD_SINGLE,
                external_host="https://test-auth-proxy.example.com/*",
            )
        )
        CoreApi(client).core_applications_create(
            authentik_client.ApplicationRequest(name="Test Auth Proxy", slug="test-auth-proxy", provider=provider.pk)
        )
        outposts = OutpostsApi(client)
        embedded = outposts.outposts_instances_list(managed__iexact="goauthentik.io/outposts/embedded").results[0]
        api = Api(own_program)
        assert not api.is_protected("https", "test-auth-proxy.example.com")
        outposts.outposts_instances_partial_update(
            embedded.pk,
            patched_outpost_request=authentik_client.PatchedOutpostRequest(
                providers=[*embedded.providers, provider.pk]
            ),
        )
        added = time.monotonic()
        while not api.is_protected("https", "test-auth-proxy.example.com"):
            assert time.monotonic() - added < 1, "not protected within a second"
            time.sleep(0.02)

    assert provider.client_id
    own_program.stop()


def test_it_learns_who_it_is_and_what_it_talks_to(client: ApiClient) -> None:
    """The calls that every script and operator makes first parse strictly."""
    me = CoreApi(client).core_users_me_retrieve()

    assert me.user.username == "akadmin"
    assert me.user.is_superuser
    assert RootApi(client).root_config_retrieve().capabilities is not None
    assert CoreApi(client).core_brands_current_retrieve().branding_title


def test_people_and_groups_are_made_and_bound(client: ApiClient, program: Program) -> None:
    """A group, a user in it with a password, and an application that only the group may enter."""
    core = CoreApi(client)
    group = core.core_groups_create(authentik_client.GroupRequest(name="client-staff"))
    user = core.core_users_create(authentik_client.UserRequest(username="client-ada", name="Ada", groups=[group.pk]))
    core.core_users_set_password_create(user.pk, authentik_client.UserPasswordSetRequest(password="long-enough-4-ada"))
    application = Api(program).protect("client-app", "https://client-app.example.com")
    binding = PoliciesApi(client).policies_bindings_create(
        authentik_client.PolicyBindingRequest(target=application["pbm_uuid"], group=group.pk, order=0)
    )

    assert binding.group == group.pk
    groups = core.core_users_retrieve(user.pk).groups_obj
    assert groups
    assert [group.name for group in groups] == ["client-staff"]


def test_what_it_did_is_in_the_log(client: ApiClient) -> None:
    """Every creation is an event with who, what and when."""
    group = CoreApi(client).core_groups_create(authentik_client.GroupRequest(name="client-logged"))
    events = EventsApi(client).events_events_list(action="model_created", ordering="-created").results

    made = [(event.user or {}, (event.context or {})["model"]) for event in events]
    user, model = next((user, model) for user, model in made if model.get("name") == "client-logged")
    assert user["username"] == "akadmin"
    assert model["model_name"] == "group"
    assert group.pk


def test_the_compatibility_mode_of_a_flow_is_switched(client: ApiClient) -> None:
    """The switch that people were told to try exists and is remembered."""
    flows = FlowsApi(client)
    for wanted in (True, False):
        flows.flows_instances_partial_update(
            "default-authentication-flow",
            patched_flow_request=authentik_client.PatchedFlowRequest(compatibility_mode=wanted),
        )
        assert flows.flows_instances_retrieve("default-authentication-flow").compatibility_mode is wanted


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_a_valid_token_nothing_is_told(program: Program, token: str) -> None:
    """403 with a JSON detail, as the client's error classes expect."""
    with (
        ApiClient(Configuration(host=f"{program.plain}/api/v3", access_token=token)) as client,
        pytest.raises(ForbiddenException) as refused,
    ):
        CoreApi(client).core_users_list()

    assert "detail" in str(refused.value.body)
