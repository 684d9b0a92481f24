from django.apps import AppConfig


class OutpostsConfig(AppConfig):
    name = "doorward.identity.outposts"
    label = "outposts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from doorward.identity.outposts import additional_headers, credentials, revocation

        revocation.listen()
        credentials.listen()
        additional_headers.listen()
