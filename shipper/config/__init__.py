"""`ship.toml` as frozen models: `project` holds the models, `load` reads the file, `envfile` reads env files."""
