"""What flows ask for, and what a password must be like, by the official client."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_prompt_lives_and_dies(api: Any, official: Any) -> None:
    """A field, put into a stage with a policy, changed, and removed."""
    policy = api.policies_password_create(
        official.PasswordPolicyRequest(name="strict", length_min=20, check_zxcvbn=True, zxcvbn_score_threshold=3)
    )
    field = api.stages_prompt_prompts_create(
        official.PromptRequest(name="pw", field_key="password", label="Password", type="password")
    )
    stage = api.stages_prompt_stages_create(
        official.PromptStageRequest(name="ask", fields=[field.pk], validation_policies=[policy.pk])
    )
    assert (stage.fields, stage.validation_policies) == ([field.pk], [policy.pk])
    assert api.policies_password_retrieve(policy.pk).bound_to == 1
    assert api.stages_prompt_prompts_retrieve(field.pk).prompt_stages_obj[0].name == "ask"
    assert {user.name for user in api.stages_prompt_prompts_used_by_list(field.pk)} == {"ask"}
    assert {user.name for user in api.policies_password_used_by_list(policy.pk)} == {"ask"}
    assert api.policies_all_list(promptstage__isnull=False, search="strict").pagination.count == 1

    renamed = api.stages_prompt_prompts_partial_update(
        field.pk, patched_prompt_request=official.PatchedPromptRequest(label="Secret")
    )
    put = api.stages_prompt_prompts_update(
        field.pk, official.PromptRequest(name="pw", field_key="password", label="Word", type="password")
    )
    assert (renamed.label, put.label) == ("Secret", "Word")
    assert api.stages_prompt_prompts_list(field_key="password", name="pw").pagination.count == 1
    assert api.stages_prompt_prompts_destroy(field.pk) is None


def test_a_password_policy_lives_and_dies(api: Any, official: Any) -> None:
    """Beside the default one."""
    made = api.policies_password_create(official.PasswordPolicyRequest(name="mine", amount_digits=1))
    patched = api.policies_password_partial_update(
        made.pk, patched_password_policy_request=official.PatchedPasswordPolicyRequest(error_message="No.")
    )
    put = api.policies_password_update(made.pk, official.PasswordPolicyRequest(name="ours", length_min=12))

    assert (patched.error_message, put.length_min, put.bound_to) == ("No.", 12, 0)
    assert api.policies_password_list(name="ours").results[0].component == "ak-policy-password-form"
    assert api.policies_all_retrieve(made.pk).name == "ours"
    assert api.policies_password_destroy(made.pk) is None


@pytest.mark.parametrize("key", ["step", "component", "csrfmiddlewaretoken"])
def test_a_name_that_the_page_uses_is_refused(api: Any, official: Any, key: str) -> None:
    """The form would send it twice."""
    with pytest.raises(official.exceptions.BadRequestException):
        api.stages_prompt_prompts_create(official.PromptRequest(name="x", field_key=key, label="X", type="text"))


def test_the_policy_holds_for_administrators_too(api: Any, official: Any) -> None:
    """400 with the policy's sentence."""
    user = api.core_users_create(official.UserRequest(username="carol", name="Carol"))

    with pytest.raises(official.exceptions.BadRequestException) as refused:
        api.core_users_set_password_create(user.pk, official.UserPasswordSetRequest(password="password1"))

    assert "easy to guess" in refused.value.body
