"""Checks access tokens (JWT) of an OpenID provider, which clients may send in place of a key.

`issuer` fetches the provider's public keys, `signing_keys` reads them, `key_cache` keeps them, and
`tokens` verifies tokens with them.
"""
