from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "doorward.identity.policies"
    label = "policies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from doorward.identity.policies import guard, password_rules

        guard.listen()
        password_rules.listen()
