"""Which class runs which middleware. A new middleware adds its file and one line here."""

from __future__ import annotations

from doorward.messages import routing as messages
from doorward.proxy.middlewares.bulkhead import Bulkheads
from doorward.proxy.middlewares.encoded_characters import EncodedCharactersMiddleware
from doorward.proxy.middlewares.forward_auth import ForwardAuthMiddleware
from doorward.proxy.middlewares.headers import HeadersMiddleware
from doorward.proxy.middlewares.pass_tls_client_cert import PassTlsClientCertMiddleware
from doorward.proxy.middlewares.redirect_scheme import RedirectSchemeMiddleware
from doorward.proxy.middlewares.strip_prefix import StripPrefixMiddleware
from doorward.proxy.ports import ForwardAuthorities
from doorward.proxy.request import Middleware


def build_middleware(
    middleware: messages.Middleware, authorities: ForwardAuthorities, bulkheads: Bulkheads
) -> Middleware:
    """The running form of ``middleware``. Raises ValueError when a value in it cannot work."""
    match middleware:
        case messages.ForwardAuth():
            return ForwardAuthMiddleware.build(middleware, authorities(middleware), bulkheads)
        case messages.Headers():
            return HeadersMiddleware(middleware)
        case messages.RedirectScheme():
            return RedirectSchemeMiddleware(middleware)
        case messages.StripPrefix():
            return StripPrefixMiddleware(middleware)
        case messages.PassTlsClientCert():
            return PassTlsClientCertMiddleware(middleware)
        case messages.EncodedCharacters():
            return EncodedCharactersMiddleware(middleware)
