"""Renderings of events, findings and errors for people and programs."""
