"""What Compose runs on the server, of either version: the first one knows fewer forms than it is given here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shipper.build.compose_file import ComposeFile
from shipper.config.backend import Backend
from shipper.render.compose import compose_projects

BACKEND = Backend(runtime="compose", service="api", port=8000, beside=("worker",))
PORTS = [
    {"mode": "ingress", "target": 5432, "published": "5432", "protocol": "tcp"},
    {"mode": "ingress", "target": 53, "published": "5353", "protocol": "udp", "host_ip": "0.0.0.0"},
    {"target": 9000},
]
OWN_LOGGING = {"driver": "local", "options": {"max-size": "1g"}}
WAITS = {"condition": "service_started", "required": True}


def rendered() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the services of a release and those that last, as Compose gets them."""
    services: dict[str, dict[str, Any]] = {
        "api": {"build": {"context": "."}, "depends_on": {"database": WAITS, "worker": WAITS}},
        "worker": {"image": "api", "depends_on": {"api": {**WAITS, "required": False}}},
        "database": {"image": "postgres:15", "ports": PORTS, "logging": OWN_LOGGING},
    }
    made = compose_projects("shop", BACKEND, ComposeFile(Path("compose.yml"), services, {}, {}), "shop:1", ["KEY"])
    return json.loads(made.release)["services"], json.loads(made.stateful)["services"]


def test_ports_are_of_the_loopback_interface_in_the_form_that_both_versions_know() -> None:
    release, lasting = rendered()
    assert lasting["database"]["ports"] == ["127.0.0.1:5432:5432/tcp", "127.0.0.1:5353:53/udp", "127.0.0.1::9000/tcp"]
    assert release["api"]["ports"] == ["127.0.0.1:${SHIPPER_PORT}:8000/tcp"]
    assert "ports" not in release["worker"]


def test_a_service_waits_only_for_what_it_runs_together_with_and_says_no_default() -> None:
    release, _ = rendered()
    assert release["api"]["depends_on"] == {"worker": {"condition": "service_started"}}
    assert release["worker"]["depends_on"] == {"api": {"condition": "service_started", "required": False}}


def test_logs_have_a_limit_unless_the_file_says_how_they_are_kept() -> None:
    release, lasting = rendered()
    limits = release["api"]["logging"]
    assert (limits["driver"], set(limits["options"])) == ("json-file", {"max-size", "max-file"})
    assert release["worker"]["logging"] == limits
    assert lasting["database"]["logging"] == OWN_LOGGING
