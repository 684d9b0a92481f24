from django.apps import AppConfig


class LdapConfig(AppConfig):
    name = "doorward.identity.sources.ldap"
    label = "sources_ldap"
    default_auto_field = "django.db.models.BigAutoField"
