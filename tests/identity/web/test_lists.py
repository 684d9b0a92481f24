"""Lists stay quick: a long one asks the database as often as a short one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from doorward.identity.directory.actions import create_group, create_token, create_user
from doorward.identity.directory.models import Token
from doorward.identity.events.actor import Actor
from doorward.identity.flows.actions import bind_stage
from doorward.identity.flows.models import Flow
from doorward.identity.outposts.actions import protect
from doorward.identity.policies.actions import bind, create_policy
from doorward.identity.policies.models import ExpressionPolicy
from doorward.identity.stages.models import Prompt, PromptStage, Stage
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def make(number: int) -> None:
    """One more of everything that is listed."""
    group = create_group(SYSTEM, name=f"group-{number}")
    user = create_user(SYSTEM, username=f"user-{number}", groups=[group])
    create_token(SYSTEM, user=user, identifier=f"token-{number}", intent=Token.Intent.API)
    name = f"app-{number}"
    protect(SYSTEM, name=name, slug=name, external_host=f"https://{name}.test", meta_description="x")
    policy = create_policy(SYSTEM, ExpressionPolicy, name=f"policy-{number}", expression="return True")
    flow = Flow.objects.create(name=name, slug=name, title=name, designation="enrollment")
    bind(SYSTEM, flow, policy=policy)
    stage = PromptStage.objects.create(name=f"stage-{number}")
    stage.fields.add(Prompt.objects.create(name=f"field-{number}", field_key="name", label="Name", type="text"))
    bind_stage(SYSTEM, flow, Stage.objects.get(pk=stage.pk))


@pytest.mark.parametrize(
    "path",
    [
        "/if/user/",
        "/if/admin/",
        "/if/admin/applications/",
        "/if/admin/providers/",
        "/if/admin/outposts/",
        "/if/admin/users/",
        "/if/admin/groups/",
        "/if/admin/tokens/",
        "/if/admin/events/",
        "/if/admin/flows/",
        "/if/admin/stages/",
        "/if/admin/prompts/",
        "/if/admin/policies/",
    ],
)
def test_as_many_questions_for_ten_as_for_two(admin: Visitor, path: str) -> None:
    """Whatever a line shows was read with the list."""
    counts = []
    for numbers in (range(2), range(2, 10)):
        for number in numbers:
            make(number)
        admin.open(path)
        with CaptureQueriesContext(connection) as queries:
            admin.open(path)
        counts.append(len(queries))

    assert counts[0] == counts[1]
