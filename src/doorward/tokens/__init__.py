"""JSON Web Tokens as this program believes them: parse, permit, verify, validate, each in its own file.

``base64url`` and ``refused`` are what the others stand on. ``shared_secret`` makes and reads the tokens that only
we ourselves must understand (HS256). ``issuer_keys`` checks the signature of somebody else's token with the one
algorithm that its key is for; ``openid`` then checks what it claims.
"""
