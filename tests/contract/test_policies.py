"""Policies by the official client: made, tried out, bound, judged, changed and removed."""

from __future__ import annotations

from typing import Any

import pytest


def test_an_expression_lives_decides_and_dies(api: Any, official: Any) -> None:
    """Made, tried on somebody, bound to an application, in force, and not removed while it alone guards it."""
    me = api.core_users_me_retrieve().user
    text = 'ak_message("Only for members.")\nreturn ak_is_group_member(request.user, name="authentik Admins")'
    made = api.policies_expression_create(official.ExpressionPolicyRequest(name="members", expression=text))
    assert (made.component, made.bound_to) == ("ak-policy-expression-form", 0)
    tried = api.policies_all_test_create(made.pk, official.PolicyTestRequest(user=me.pk, context={"x": 1}))
    assert (tried.passing, tried.messages) == (True, ["Only for members."])

    application = api.core_applications_create(official.ApplicationRequest(name="guarded", slug="guarded"))
    binding = api.policies_bindings_create(
        official.PolicyBindingRequest(target=application.pbm_uuid, policy=made.pk, order=0)
    )
    assert (binding.policy, binding.policy_obj.name) == (made.pk, "members")
    assert api.policies_bindings_list(policy=made.pk, policy__isnull=False).pagination.count == 1
    assert api.policies_all_list(bindings__isnull=False, search="members").pagination.count == 1
    assert api.core_applications_check_access_retrieve("guarded").passing

    api.policies_expression_partial_update(
        made.pk, patched_expression_policy_request=official.PatchedExpressionPolicyRequest(expression="return False")
    )
    assert not api.core_applications_check_access_retrieve("guarded").passing
    with pytest.raises(official.exceptions.ConflictException, match="guards"):
        api.policies_expression_destroy(made.pk)
    assert api.policies_bindings_destroy(binding.pk) is None
    put = api.policies_expression_update(
        made.pk, official.ExpressionPolicyRequest(name="nobody", expression="return None", execution_logging=True)
    )
    assert api.policies_expression_retrieve(put.pk).execution_logging
    assert api.policies_expression_list(name="nobody").pagination.count == 1
    assert api.policies_expression_used_by_list(put.pk) == []
    assert api.policies_expression_destroy(put.pk) is None


def test_what_is_no_expression_is_refused(api: Any, official: Any) -> None:
    """With the line, and what to write instead."""
    with pytest.raises(official.exceptions.BadRequestException, match="Line 2: nothing can be imported"):
        api.policies_expression_create(
            official.ExpressionPolicyRequest(name="bad", expression="x = 1\nimport os\nreturn True")
        )


def test_a_password_may_be_too_old(api: Any, official: Any) -> None:
    """Days, and nothing else to say."""
    me = api.core_users_me_retrieve().user
    made = api.policies_password_expiry_create(official.PasswordExpiryPolicyRequest(name="yearly", days=365))
    assert made.deny_only
    assert api.policies_all_test_create(made.pk, official.PolicyTestRequest(user=me.pk)).passing
    api.policies_password_expiry_partial_update(
        made.pk, patched_password_expiry_policy_request=official.PatchedPasswordExpiryPolicyRequest(days=30)
    )
    put = api.policies_password_expiry_update(
        made.pk, official.PasswordExpiryPolicyRequest(name="monthly", days=31, deny_only=True)
    )
    assert api.policies_password_expiry_retrieve(put.pk).days == 31
    assert api.policies_password_expiry_list(days=31).pagination.count == 1
    assert api.policies_password_expiry_used_by_list(put.pk) == []
    assert api.policies_password_expiry_destroy(put.pk) is None


def test_a_bad_reputation(api: Any, official: Any) -> None:
    """A policy about it; scores that are listed, and forgiven."""
    from doorward.identity.directory.models import User
    from doorward.identity.policies import reputation

    me = api.core_users_me_retrieve().user
    made = api.policies_reputation_create(official.ReputationPolicyRequest(name="bad", threshold=-1))
    assert (made.check_ip, made.check_username, made.bound_to) == (True, True, 0)
    assert not api.policies_all_test_create(made.pk, official.PolicyTestRequest(user=me.pk)).passing
    reputation.failed(User.objects.get(pk=me.pk), "", "192.0.2.1")
    assert api.policies_all_test_create(made.pk, official.PolicyTestRequest(user=me.pk)).passing

    (score,) = api.policies_reputation_scores_list(identifier=me.username, ip="192.0.2.1").results
    assert (score.score, score.identifier) == (-1, me.username)
    assert api.policies_reputation_scores_list(identifier_in=["nobody", me.username]).pagination.count == 1
    assert api.policies_reputation_scores_retrieve(score.pk).ip == "192.0.2.1"
    assert api.policies_reputation_scores_used_by_list(score.pk) == []
    assert api.policies_reputation_scores_destroy(score.pk) is None
    assert not api.policies_all_test_create(made.pk, official.PolicyTestRequest(user=me.pk)).passing

    patched = api.policies_reputation_partial_update(
        made.pk, patched_reputation_policy_request=official.PatchedReputationPolicyRequest(check_ip=False)
    )
    assert not patched.check_ip
    with pytest.raises(official.exceptions.BadRequestException):
        api.policies_reputation_partial_update(
            made.pk, patched_reputation_policy_request=official.PatchedReputationPolicyRequest(check_username=False)
        )
    put = api.policies_reputation_update(made.pk, official.ReputationPolicyRequest(name="worse", threshold=-9))
    assert api.policies_reputation_retrieve(put.pk).threshold == -9
    assert api.policies_reputation_list(threshold=-9).pagination.count == 1
    assert api.policies_reputation_used_by_list(put.pk) == []
    assert api.policies_reputation_destroy(put.pk) is None


def test_dummies_and_former_passwords(api: Any, official: Any) -> None:
    """Two kinds with hardly anything to say."""
    made = api.policies_dummy_create(official.DummyPolicyRequest(name="yes", result=True, wait_min=0, wait_max=1))
    me = api.core_users_me_retrieve().user
    assert api.policies_all_test_create(made.pk, official.PolicyTestRequest(user=me.pk)).passing
    api.policies_dummy_partial_update(
        made.pk, patched_dummy_policy_request=official.PatchedDummyPolicyRequest(result=False)
    )
    put = api.policies_dummy_update(made.pk, official.DummyPolicyRequest(name="no"))
    assert not api.policies_dummy_retrieve(put.pk).result
    assert api.policies_dummy_list(name="no").pagination.count == 1
    assert api.policies_dummy_used_by_list(put.pk) == []
    assert api.policies_dummy_destroy(put.pk) is None

    former = api.policies_unique_password_create(official.UniquePasswordPolicyRequest(name="new ones"))
    assert (former.num_historical_passwords, former.component) == (1, "ak-policy-password-uniqueness-form")
    assert former.pk not in {each.pk for each in api.policies_password_list().results}
    api.policies_unique_password_partial_update(
        former.pk,
        patched_unique_password_policy_request=official.PatchedUniquePasswordPolicyRequest(num_historical_passwords=3),
    )
    put = api.policies_unique_password_update(
        former.pk, official.UniquePasswordPolicyRequest(name="five", num_historical_passwords=5)
    )
    assert api.policies_unique_password_retrieve(put.pk).num_historical_passwords == 5
    assert api.policies_unique_password_list(num_historical_passwords=5).pagination.count == 1
    assert api.policies_unique_password_used_by_list(put.pk) == []
    assert api.policies_unique_password_destroy(put.pk) is None


def test_event_matchers(api: Any, official: Any) -> None:
    """What is not asked for is null."""
    made = api.policies_event_matcher_create(
        official.EventMatcherPolicyRequest(name="failed", action="login_failed", query='user.username = "bob"')
    )
    assert (made.action, made.client_ip, made.app) == ("login_failed", None, None)
    api.policies_event_matcher_partial_update(
        made.pk,
        patched_event_matcher_policy_request=official.PatchedEventMatcherPolicyRequest(client_ip="192.0.2.1"),
    )
    put = api.policies_event_matcher_update(
        made.pk, official.EventMatcherPolicyRequest(name="users", model="authentik_core.user", query=None)
    )
    assert api.policies_event_matcher_retrieve(put.pk).model == "authentik_core.user"
    assert api.policies_event_matcher_list(model="authentik_core.user").pagination.count == 1
    assert api.policies_event_matcher_used_by_list(put.pk) == []
    with pytest.raises(official.exceptions.BadRequestException, match="comparison"):
        api.policies_event_matcher_create(official.EventMatcherPolicyRequest(name="bad", query="action ? 1"))
    assert api.policies_event_matcher_destroy(put.pk) is None


def test_places(api: Any, official: Any) -> None:
    """Countries with their names, and the table of them."""
    known = {country.code: country.name for country in api.policies_geoip_iso3166_list()}
    made = api.policies_geoip_create(
        official.GeoIPPolicyRequest(name="here", countries=["DE"], asns=[64500], check_impossible_travel=True)
    )
    assert made.countries == ["DE"]
    assert made.countries_obj[0].name == known.get("DE", "DE")
    assert made.history_max_distance_km == 100
    api.policies_geoip_partial_update(
        made.pk, patched_geo_ip_policy_request=official.PatchedGeoIPPolicyRequest(history_login_count=3)
    )
    put = api.policies_geoip_update(made.pk, official.GeoIPPolicyRequest(name="there", countries=["FR", "NL"]))
    assert api.policies_geoip_retrieve(put.pk).countries == ["FR", "NL"]
    assert api.policies_geoip_list(name="there").pagination.count == 1
    assert api.policies_geoip_used_by_list(put.pk) == []
    assert api.policies_geoip_destroy(put.pk) is None
