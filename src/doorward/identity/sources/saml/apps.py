from django.apps import AppConfig


class SamlConfig(AppConfig):
    name = "doorward.identity.sources.saml"
    label = "sources_saml"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from doorward.identity.sources.saml import vouched_logins

        vouched_logins.listen()
