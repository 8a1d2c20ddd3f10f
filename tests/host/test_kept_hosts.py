"""Connections that are begun before they are needed, to the practice server."""

from __future__ import annotations

from contextlib import closing

import pytest

from shipper.config.target import Target
from shipper.errors import HostError
from shipper.host.kept import KeptHosts
from shipper.sandbox.server import Sandbox
from shipper.sandbox.state import chosen_name, load_target


@pytest.fixture
def target(sandbox: Sandbox) -> Target:
    found = load_target(chosen_name())
    assert found is not None
    return found


def test_a_connection_that_was_begun_is_the_one_that_is_used_until_the_end(target: Target) -> None:
    with closing(KeptHosts()) as hosts:
        hosts.begin(target, "sandbox")
        with hosts.reach(target, "sandbox") as first, hosts.reach(target, "sandbox") as second:
            assert first.transport is second.transport
            assert first.transport.is_active()
    assert not first.transport.is_active()


def test_what_hindered_a_connection_is_told_to_who_wants_it(target: Target) -> None:
    with closing(KeptHosts()) as hosts:
        hosts.begin(target.model_copy(update={"port": 1}), "sandbox")
        hosts.begin(target, "sandbox")
        with (
            pytest.raises(HostError, match="refuses the connection"),
            hosts.reach(target.model_copy(update={"port": 1}), "sandbox"),
        ):
            raise AssertionError("there is no server")
        with hosts.reach(target, "sandbox") as host:
            assert host.transport.is_active()
