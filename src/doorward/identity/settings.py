"""Django's settings, from the few facts that the program that starts us states in the environment.

The environment is how the parent hands facts to this child: ``DOORWARD_DATA`` (state folder), ``DOORWARD_DATABASE``
(empty for SQLite in the state folder, or ``postgresql://…``), ``DOORWARD_EXTERNAL_URL``, ``DOORWARD_IDENTITY_PORT``
``DOORWARD_MAIL``, ``DOORWARD_GEOIP``, ``DOORWARD_BLUEPRINTS`` and ``DOORWARD_TEMPLATES``.
Operators do not set them; they write the ``identity:`` section of the configuration.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from doorward import __version__
from doorward.identity.languages import supported
from doorward.observe import log_lines
from doorward.tokens.secret_key import INSTALLATION_ID as OF_INSTALLATION
from doorward.tokens.secret_key import SecretKeys, read_secret_keys

DATA = Path(os.environ.get("DOORWARD_DATA", os.devnull))
EXTERNAL_URL = os.environ.get("DOORWARD_EXTERNAL_URL", "http://127.0.0.1:9000").rstrip("/")
EXTERNAL = urlsplit(EXTERNAL_URL)
IDENTITY_PORT = int(os.environ.get("DOORWARD_IDENTITY_PORT", "9000"))
"""Where other proxies reach this program: the pages show it in what they offer to paste."""
MAIL = os.environ.get("DOORWARD_MAIL", "")
"""How letters leave, as ``mail.transport`` reads it; empty where none are sent."""
GEOIP = tuple(path for path in os.environ.get("DOORWARD_GEOIP", "").split(os.pathsep) if path)
"""Databases of places and networks, in MaxMind's format."""
BLUEPRINTS = tuple(path for path in os.environ.get("DOORWARD_BLUEPRINTS", "").split(os.pathsep) if path) or (
    str(DATA / "blueprints"),
)
"""Folders of blueprints; where two have a file of one name, the first one's counts."""
OWN_TEMPLATES = Path(os.environ.get("DOORWARD_TEMPLATES") or DATA / "templates")
"""Folder of templates of letters, as ``config.letters`` reads it."""
VERSION = __version__

# Without a state folder nothing can be served or kept: that is how tools read the models (type checker, schema).
HAS_STATE = "DOORWARD_DATA" in os.environ
INSTALLATION_KEYS = (
    read_secret_keys(DATA / "secret.key", DATA / "doorward.sqlite3")
    if HAS_STATE
    else SecretKeys(secrets.token_bytes(32))
)
"""More than one only while they are exchanged (``crypto.rotation``)."""
# Applications know users by a name that is made with it: it stays when the key is exchanged.
INSTALLATION_ID = next(
    (kept.key.hex() for kept in INSTALLATION_KEYS.kept_for(OF_INSTALLATION)),
    hashlib.sha256(b"installation-id" + INSTALLATION_KEYS.current).hexdigest(),
)
SECRET_KEY, *SECRET_KEY_FALLBACKS = (hashlib.sha256(b"django" + key).hexdigest() for key in INSTALLATION_KEYS.all)

DEBUG = False
# Any other name is answered 404 by web.middleware.requests; the loopback names are those of the plain identity port.
ALLOWED_HOSTS = [EXTERNAL.hostname or "localhost", "localhost", "127.0.0.1", "[::1]"]
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = supported.SOURCE
LANGUAGES = supported.LANGUAGES
LOCALE_PATHS = [supported.LOCALE]
ROOT_URLCONF = "doorward.identity.urls"
WSGI_APPLICATION = None
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "lucide",
    "doorward.identity.languages",
    "doorward.identity.chores",
    "doorward.identity.remembered",
    "doorward.identity.system",
    "doorward.identity.crypto",
    "doorward.identity.events",
    "doorward.identity.directory",
    "doorward.identity.roles",
    "doorward.identity.logins",
    "doorward.identity.mail",
    "doorward.identity.authenticators",
    "doorward.identity.policies",
    "doorward.identity.stages",
    "doorward.identity.flows",
    "doorward.identity.sources",
    "doorward.identity.sources.ldap",
    "doorward.identity.sources.saml",
    "doorward.identity.applications",
    "doorward.identity.access_requests",
    "doorward.identity.oauth2",
    "doorward.identity.outposts",
    "doorward.identity.brands",
    "doorward.identity.notifications",
    "doorward.identity.blueprints",
    "doorward.identity.api",
    "doorward.identity.web",
]


def _database() -> dict[str, object]:
    url = os.environ.get("DOORWARD_DATABASE", "")
    if url:
        parts = urlsplit(url)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            # A folder with a socket is written as %2Fvar%2Frun%2Fpostgresql.
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,
            # As libpq names them: sslmode, sslrootcert, connect_timeout …
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(DATA / "doorward.sqlite3") if HAS_STATE else ":memory:",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            # FULL: an answered login survives a power cut (S-807).
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;",
        },
        # A file as in earnest: SQLite's shared memory has another way of locking.
        "TEST": {"NAME": str(DATA / "test.sqlite3") if HAS_STATE else None},
    }


DATABASES = {"default": _database()}

AUTH_USER_MODEL = "directory.User"
SESSION_ENGINE = "doorward.identity.logins.session_store"
SESSION_COOKIE_NAME = "__Host-doorward_login" if EXTERNAL.scheme == "https" else "doorward_login"
SESSION_COOKIE_SECURE = EXTERNAL.scheme == "https"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 24 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# The token lives in the login session: bound to it, and the tabs of one browser share it. The cookie is a copy for
# clients of the flow executor API (flows.api).
CSRF_USE_SESSIONS = True
CSRF_FAILURE_VIEW = "doorward.identity.web.errors.csrf_failure"
CSRF_COOKIE_NAME = "__Host-doorward_csrf" if EXTERNAL.scheme == "https" else "doorward_csrf"
CSRF_COOKIE_SECURE = EXTERNAL.scheme == "https"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_HEADER_NAME = "HTTP_X_AUTHENTIK_CSRF"
CSRF_TRUSTED_ORIGINS = [f"{EXTERNAL.scheme}://{EXTERNAL.netloc}"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
USE_X_FORWARDED_HOST = False

PASSWORD_HASHERS = [
    "doorward.identity.directory.hashing.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

MIDDLEWARE = [
    "doorward.identity.web.middleware.requests.RequestFacts",
    "doorward.identity.web.middleware.headers.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "doorward.identity.database_trouble.DatabaseTrouble",
    "doorward.identity.remembered.middleware.Remembering",
    "doorward.identity.logins.middleware.LoginSessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "doorward.identity.logins.middleware.CurrentUser",
    "doorward.identity.languages.middleware.Languages",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "doorward.identity.web.context.page",
            ]
        },
    }
]

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["doorward.identity.api.authentication.BearerOrSession"],
    "DEFAULT_PERMISSION_CLASSES": ["doorward.identity.api.permissions.Permitted"],
    "DEFAULT_PAGINATION_CLASS": "doorward.identity.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.OrderingFilter",
        "rest_framework.filters.SearchFilter",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "doorward.identity.api.errors.answer",
    "PAGE_SIZE": 20,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Doorward",
    "VERSION": __version__,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v3",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SERVE_INCLUDE_SCHEMA": False,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "doorward.observe.log_lines.formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": max(logging.WARNING, log_lines.chosen.level)},
    "loggers": {
        "doorward": {"level": log_lines.chosen.level},
        # Its own handlers would mail administrators and print to consoles that we do not have.
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # 4xx answers are the access log's business, also where Django would add a stack trace for each (S-918).
        "django.request": {"level": "ERROR"},
        **{
            f"django.security.{name}": {"level": "CRITICAL"}
            for name in ("TooManyFieldsSent", "TooManyFilesSent", "RequestDataTooBig", "SuspiciousMultipartForm")
        },
        # One line for each request that has to wait a moment.
        "waitress.queue": {"level": "ERROR"},
    },
}
