"""Which origins the page of a captcha opens to: that of the stage's script, and what the big three load beside it.

Everything else stays closed, and so does every other page: the page is shown by a navigation of its own, and left by
one, so that no other page's document ever runs the script (see ``StageView.outside``).
"""

from __future__ import annotations

from urllib.parse import urlsplit

BESIDE = {
    "www.google.com": ("https://www.gstatic.com",),
    "www.recaptcha.net": ("https://www.gstatic.com",),
    "js.hcaptcha.com": ("https://hcaptcha.com", "https://*.hcaptcha.com"),
    "hcaptcha.com": ("https://*.hcaptcha.com",),
}
"""What the services' own manuals ask for besides the script's origin."""


def origins(js_url: str) -> tuple[str, ...]:
    """As ``Content-Security-Policy`` lists them."""
    parts = urlsplit(js_url)
    host = parts.hostname or ""
    authority = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    return (f"{parts.scheme}://{authority}{port}", *BESIDE.get(host, ()))
