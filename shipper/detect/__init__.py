"""Looks at a repository and says what it holds: frontends, backends, servers, variables, each with where it stands.

Nothing is run and nothing is written here; what was found becomes a `ship.toml` in `shipper.render.ship_toml`.
"""
