"""Events, notifications and system settings by the official client."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def local(api: Any, official: Any) -> Any:
    """A transport that leads to people's own pages."""
    return api.events_transports_create(official.NotificationTransportRequest(name="here", mode="local"))


def test_a_rule_lives_and_dies(api: Any, official: Any, local: Any) -> None:
    """With its group and its transports."""
    group = api.core_groups_create(official.GroupRequest(name="on call"))
    made = api.events_rules_create(
        official.NotificationRuleRequest(
            name="failed logins", transports=[local.pk], severity="alert", destination_group=group.pk
        )
    )
    patched = api.events_rules_partial_update(
        made.pk, patched_notification_rule_request=official.PatchedNotificationRuleRequest(severity="notice")
    )
    put = api.events_rules_update(made.pk, official.NotificationRuleRequest(name="all"))

    assert (made.destination_group_obj.name, str(made.transports[0])) == ("on call", str(local.pk))
    assert (patched.severity.value, put.name) == ("notice", "all")
    assert api.events_rules_list(name="all").results[0].pk == made.pk
    assert api.events_rules_retrieve(made.pk).name == "all"
    assert api.events_rules_used_by_list(made.pk) == []
    assert api.events_rules_destroy(made.pk) is None


def test_a_transport_lives_and_dies(api: Any, official: Any, local: Any) -> None:
    """A test of it arrives, and can be seen and marked; the address of a webhook is checked."""
    assert api.events_transports_test_create(local.pk).messages
    [told] = api.events_notifications_list().results
    seen = api.events_notifications_partial_update(
        told.pk, patched_notification_request=official.PatchedNotificationRequest(seen=True)
    )
    put = api.events_notifications_update(told.pk, official.NotificationRequest(seen=False))
    assert (told.seen, seen.seen, put.seen) == (False, True, False)
    assert api.events_notifications_mark_all_seen_create() is None
    assert api.events_notifications_retrieve(told.pk).seen is True
    assert api.events_notifications_used_by_list(told.pk) == []
    assert api.events_notifications_destroy(told.pk) is None

    with pytest.raises(official.exceptions.BadRequestException):
        api.events_transports_partial_update(
            local.pk,
            patched_notification_transport_request=official.PatchedNotificationTransportRequest(
                mode="webhook", webhook_url="http://169.254.169.254/"
            ),
        )
    put = api.events_transports_update(local.pk, official.NotificationTransportRequest(name="there", mode="email"))
    assert (put.name, put.mode.value) == ("there", "email")
    assert api.events_transports_list(mode="email").pagination.count == 1
    assert api.events_transports_retrieve(local.pk).mode_verbose == "E-mail"
    assert api.events_transports_used_by_list(local.pk) == []
    assert api.events_transports_destroy(local.pk) is None


def test_a_webhook_mapping_lives_and_dies(api: Any, official: Any) -> None:
    """An expression, checked when it is saved."""
    made = api.propertymappings_notification_create(
        official.NotificationWebhookMappingRequest(name="body", expression="return {}")
    )
    patched = api.propertymappings_notification_partial_update(
        made.pk,
        patched_notification_webhook_mapping_request=official.PatchedNotificationWebhookMappingRequest(name="b"),
    )
    put = api.propertymappings_notification_update(
        made.pk, official.NotificationWebhookMappingRequest(name="c", expression="return 1")
    )

    assert (patched.name, put.name) == ("b", "c")
    assert api.propertymappings_notification_list(name="c").pagination.count == 1
    assert api.propertymappings_notification_retrieve(made.pk).expression == "return 1"
    assert api.propertymappings_notification_used_by_list(made.pk) == []
    assert api.propertymappings_notification_destroy(made.pk) is None


def test_events_are_counted(api: Any) -> None:
    """By action and day, and by application."""
    volume = api.events_events_volume_list(history_days=7)

    assert {(row.action.value, row.count > 0) for row in volume} >= {("model_created", True)}
    assert api.events_events_top_per_user_list(top_n=5) == []


def test_system_settings_are_read_and_changed(api: Any, official: Any) -> None:
    """Retention for example; what Doorward has one value of only is refused by name."""
    flags = official.PatchedSettingsRequestFlags(
        core_default_app_access=True,
        enterprise_audit_include_expanded_diff=True,
        flows_continuous_login=False,
        flows_refresh_others=False,
    )
    assert api.admin_settings_retrieve().event_retention == "days=365"
    patched = api.admin_settings_partial_update(
        patched_settings_request=official.PatchedSettingsRequest(
            event_retention="days=30", default_token_duration="hours=2"
        )
    )
    put = api.admin_settings_update(official.SettingsRequest(impersonation=False, flags=flags))

    assert (patched.event_retention, put.event_retention, put.impersonation) == ("days=30", "days=30", False)
    with pytest.raises(official.exceptions.BadRequestException) as refused:
        api.admin_settings_partial_update(
            patched_settings_request=official.PatchedSettingsRequest(gdpr_compliance=True)
        )
    assert "gdpr_compliance" in refused.value.body
