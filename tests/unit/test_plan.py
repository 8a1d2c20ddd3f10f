"""The plan is computed, not tried: which steps a change needs, and which it does not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from shipper.config.load import parse_project
from shipper.config.project import Project
from shipper.config.target import Target
from shipper.deliver.manifest import Entry, Tree
from shipper.deliver.upload import Cargo
from shipper.errors import ConfigError
from shipper.pipeline.parts import BackendParts, SiteBuild, slot_name
from shipper.pipeline.plan import Plan, activation_steps, check_second_copy, ship_steps
from shipper.pipeline.record import is_live, release_record
from shipper.pipeline.rollback import choose_release, plan_rollback
from shipper.pipeline.server import Record, ServerState
from shipper.render.systemd import boot_unit

TOML = """
name = "shop"
[frontend]
preset = "static"
[backend]
framework = "django"
app = "config.asgi:application"
"""
PROJECT = parse_project(TOML, "ship.toml")
TARGET = Target(host="203.0.113.7", domain="shop.example.com")
SMALL = TARGET.model_copy(update={"strategy": "stop-first"})
NGINX = {"http": "http", "server": "server"}
ORIGIN = {"commit": "abcdef1234", "dirty": False, "who": "kim@laptop", "created": "2026-11-20T00:00:00Z"}


def tree(**files: str) -> Tree:
    return Tree(tuple(Entry(path.replace("__", "/"), "file", value * 64, 1) for path, value in sorted(files.items())))


SITE = SiteBuild(tree(index="a"), (), "built")
PARTS = BackendParts(
    tree(main="b", app__migrations__0001="c"), tree(django="d"), "unit", "/usr/bin/python3", "as before"
)
UNITS = {"unit": "unit", "boot": boot_unit("shop")}
NONE = frozenset[str]()
FACTS = {"memory": {"available": 200_000_000}}
EMPTY = ServerState("", (), NONE, NONE, NONE, NONE, "env1", NGINX, {}, NONE, 90_000_000, FACTS)


def record(number: int, site: SiteBuild = SITE, parts: BackendParts = PARTS, env: str = "env1") -> Record:
    assert PROJECT.backend is not None
    slot = slot_name(parts, PROJECT.backend, env)
    made = release_record(f"20261120T00000{number}Z-abcdef1", ORIGIN, PROJECT, TARGET, site, slot, parts, NGINX)
    return {**made, "state": "good"}


def server(*records: Record, **changes: Any) -> ServerState:
    """A server on which the last of the records is live and all of them are kept."""
    slots = frozenset(entry["slot"] for entry in records)
    live = records[-1]
    state = dataclasses.replace(
        EMPTY,
        live=live["id"],
        releases=tuple(reversed(records)),
        slots=slots,
        running=frozenset({live["slot"]}),
        units=UNITS,
    )
    return dataclasses.replace(state, **changes)


def names(wanted: Record, state: ServerState, parts: BackendParts = PARTS, project: Project = PROJECT) -> list[str]:
    steps = ship_steps(wanted, state, project, TARGET, SITE, parts, Cargo(()))
    return [step.name for step in steps if not step.name.startswith("build")]


def test_a_first_ship_does_everything_in_the_order_of_the_architecture() -> None:
    first = [
        "upload",
        "lay",
        "unit",
        "migrate",
        "collect-static",
        "start",
        "health",
        "nginx",
        "switch",
        "verify",
        "prune",
    ]
    assert names(record(1), dataclasses.replace(EMPTY, nginx={"http": "", "server": ""})) == first


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({}, "prune"),
        ({"api_url": "http://shop.example.com/v1"}, "prune"),
        ({"api_url": "/backend"}, "prune"),
        ({"api_url": "https://api.example.com"}, "cors"),
        ({"url": "https://shop.example.com", "api_url": "http://shop.example.com"}, "cors"),
    ],
)
def test_only_an_api_on_another_origin_is_asked_for_cors_and_only_after_everything(
    changes: dict[str, str], last: str
) -> None:
    target = TARGET.model_copy(update=changes)
    steps = ship_steps(record(2), server(record(1)), PROJECT, target, SITE, PARTS, Cargo(()))
    assert steps[-1].name == last
    assert [step.name for step in steps].count("cors") == (last == "cors")
    assert "cors" not in [step["step"] for step in Plan("ship", record(2), steps).on_server]


def test_a_change_of_the_site_touches_no_process() -> None:
    other = SiteBuild(tree(index="f"), (), "built")
    assert names(record(2, site=other), server(record(1))) == ["upload", "lay", "switch", "verify", "prune"]


def test_a_change_of_the_backend_starts_the_new_copy_before_the_old_one_stops() -> None:
    other = dataclasses.replace(PARTS, code=tree(main="e"))
    steps = names(record(2, parts=other), server(record(1)), other)
    assert steps == [
        *("upload", "lay", "migrate", "collect-static", "start", "health"),
        *("switch", "verify", "drain", "stop", "prune"),
    ]


def test_what_was_good_before_waits_for_the_last_visitor_of_the_old_copy_and_what_is_new_for_the_whole_time() -> None:
    good, other = record(1), {**record(2, parts=dataclasses.replace(PARTS, code=tree(main="e"))), "drain": 60}
    state = server(good, other)
    (drain,) = (step for step in activation_steps(good, state, TARGET) if step.name == "drain")
    assert drain.arguments == {"at_least": 1, "seconds": 60}, "the copy that ends has the time of its own release"
    new = {key: value for key, value in record(3).items() if key != "state"}
    (drain,) = (step for step in activation_steps(new, state, TARGET) if step.name == "drain")
    assert drain.arguments == {"at_least": 2, "seconds": 2}


def test_what_is_live_already_is_not_shipped_again() -> None:
    live = record(1)
    assert is_live(record(2), server(live))
    assert not is_live(record(2), server(live, running=frozenset()))
    assert not is_live(record(2), server(live, nginx={"http": "edited by hand", "server": "server"}))
    assert not is_live(record(2), server(live, units={**UNITS, "unit": "edited by hand"}))
    assert not is_live(record(2), EMPTY)


def test_a_backend_that_does_not_run_is_only_started() -> None:
    live = record(1)
    steps = [step.name for step in activation_steps(live, server(live, running=frozenset()), TARGET)]
    assert steps == ["start", "health", "switch", "verify"]


def test_where_two_copies_do_not_fit_the_plan_asks_and_then_stops_the_old_one_first() -> None:
    other = dataclasses.replace(PARTS, code=tree(main="e"))
    tight = server(record(1), memory=300_000_000)
    (finding,) = check_second_copy(record(2, parts=other), tight, TARGET, "production")
    assert "300 MB" in finding.message
    assert 'strategy = "stop-first" in [targets.production]' in finding.fix
    assert check_second_copy(record(2, parts=other), server(record(1)), TARGET, "production") == []
    assert check_second_copy(record(2, parts=other), tight, SMALL, "production") == []
    steps = [step.name for step in activation_steps(record(2, parts=other), tight, SMALL)]
    assert steps == ["stop-first", "start", "health", "switch", "verify"]


@pytest.mark.parametrize(
    "change",
    [
        {"code": tree(main="e")},
        {"dependencies": tree(django="e")},
        {"unit": "another"},
        {"interpreter": "/usr/bin/python3.12"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_slot_is_another_when_what_it_is_made_of_is(change: dict[str, Any]) -> None:
    assert PROJECT.backend is not None
    same = slot_name(dataclasses.replace(PARTS, origin="resolved anew"), PROJECT.backend, "env1")
    assert slot_name(PARTS, PROJECT.backend, "env1") == same
    assert slot_name(dataclasses.replace(PARTS, **change), PROJECT.backend, "env1") != same
    assert slot_name(PARTS, PROJECT.backend, "env2") != same


def test_pending_migrations_are_named() -> None:
    parts = dataclasses.replace(PARTS, code=Tree((Entry("app/migrations/0002_more.py", "file", "e" * 64, 1),)))
    state = server(record(1), migrations=frozenset({"app/migrations/0001_first.py"}))
    steps = ship_steps(record(2, parts=parts), state, PROJECT, TARGET, SITE, parts, Cargo(()))
    migrate = next(step for step in steps if step.name == "migrate")
    assert migrate.changes == ("pending: app/migrations/0002_more.py",)


def test_a_rollback_takes_the_newest_good_release_before_the_live_one() -> None:
    bad = {**record(2), "state": "bad"}
    state = server(record(1), bad, record(3))
    assert choose_release([state], None) == record(1)["id"]
    plan = plan_rollback(state, record(1)["id"], TARGET, "production")
    assert [step.name for step in plan.steps] == ["switch", "verify"]


def test_a_rollback_of_several_servers_takes_what_all_of_them_have() -> None:
    one, two, three = record(1), record(2), record(3)
    assert choose_release([server(one, two, three), server(one, three)], None) == one["id"]
    assert choose_release([server(one, two, three), server(two, three)], None) == two["id"]
    with pytest.raises(ConfigError, match="no earlier good release"):
        choose_release([server(one, three), server(two, three)], None)
    with pytest.raises(ConfigError, match=f"There is no release {two['id']}"):
        choose_release([server(one, two, three), server(one, three)], two["id"])


def test_a_rollback_without_a_way_back_says_so() -> None:
    with pytest.raises(ConfigError, match="no earlier good release"):
        choose_release([server(record(1))], None)
    with pytest.raises(ConfigError, match="There is no release 20260101T000000Z-0000000"):
        choose_release([server(record(1))], "20260101T000000Z-0000000")
    with pytest.raises(ConfigError, match="no longer on the server"):
        plan_rollback(server(record(1), record(2), slots=frozenset()), record(1)["id"], TARGET, "production")


def test_every_step_can_be_told_to_the_agent() -> None:
    from shipper.agent import steps as known

    made = ship_steps(record(1), EMPTY, PROJECT, TARGET, SITE, PARTS, Cargo(()))
    for step in made:
        if step.place == "server":
            assert known.named(step.name).name == step.wire["step"] == step.name
