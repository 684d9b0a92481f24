"""The identity provider as a child: prepare the database, then serve it under waitress on its Unix sockets."""

from __future__ import annotations

import os

from doorward.assembly.children import Notifier
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import ChildFailed, DemoPlan, FirstStart, IdentityPlan, Plan, Progress


def set_environment(plan: Plan, folder: StateFolder) -> None:
    """How Django's settings hear of what the plan says; before anything of the identity provider is imported."""
    set_identity_environment(plan.identity, folder)


def set_identity_environment(identity: IdentityPlan, folder: StateFolder) -> None:
    """The same, of the part of the plan that matters for it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "doorward.identity.settings"
    os.environ["DOORWARD_DATA"] = str(folder.path)
    os.environ["DOORWARD_DATABASE"] = identity.database
    os.environ["DOORWARD_EXTERNAL_URL"] = identity.external_url
    os.environ["DOORWARD_MAIL"] = identity.mail
    os.environ["DOORWARD_GEOIP"] = os.pathsep.join(identity.geoip)
    os.environ["DOORWARD_BLUEPRINTS"] = os.pathsep.join(identity.blueprints)
    os.environ["DOORWARD_TEMPLATES"] = identity.templates
    os.environ["DOORWARD_EXPLAIN_SOCKET"] = str(folder.explain_socket)
    os.environ["DOORWARD_IDENTITY_PORT"] = str(identity.port)


def run(plan: Plan, folder: StateFolder, notifier: Notifier) -> None:
    set_environment(plan, folder)

    from doorward.identity import bootstrap, server
    from doorward.tokens.secret_key import SecretKeyUnusable

    wishes = bootstrap.Bootstrap(
        password=plan.identity.bootstrap_password or None,
        token=plan.identity.bootstrap_token or None,
        email=plan.identity.bootstrap_email or None,
    )
    try:
        prepared = bootstrap.prepare(wishes, progress=lambda text: notifier.tell(Progress(text)))
        if plan.demo is not None:
            protect_whoami(plan.demo)
    except (bootstrap.CannotPrepare, SecretKeyUnusable) as error:
        notifier.tell(ChildFailed(str(error)))
        raise SystemExit(1) from error
    if prepared.generated_password is not None:
        notifier.tell(FirstStart(prepared.generated_password))
    server.serve(folder.identity_socket, folder.rpc_socket, folder.back_channel_socket, notifier.ready)


def protect_whoami(demo: DemoPlan) -> None:
    """Have the demonstration application protected, at the address of this start."""
    from doorward.identity.applications.models import Application
    from doorward.identity.events.actor import Actor
    from doorward.identity.outposts import actions
    from doorward.identity.outposts.models import ProxyProvider

    actor = Actor.system()
    if not Application.objects.filter(slug="whoami").exists():
        actions.protect(
            actor,
            name="whoami",
            slug="whoami",
            external_host=demo.whoami_url,
            meta_description="The demonstration application: shows the request that it receives.",
        )
        return
    provider = ProxyProvider.objects.filter(application__slug="whoami").first()
    if provider is not None and provider.external_host != demo.whoami_url:
        actions.update_proxy_provider(actor, provider, external_host=demo.whoami_url)
