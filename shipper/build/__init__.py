"""Builds on the dev machine: the frontend (run, bake, prove) and what the backend runs with. No server is involved."""
