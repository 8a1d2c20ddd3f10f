"""What the report says of each ship: records and journal as one story, and nothing made up."""

from __future__ import annotations

import pytest
from shipped import activation, answer, commit_of, ended, record, release_id, stage

from shipper.report.page import amount, safe_link, seconds, share
from shipper.report.ships import Journal, Ship, tell_ships

NOTHING = Journal()


def one(**more: object) -> Ship:
    (ship,) = tell_ships([record(1, **more)], NOTHING, {commit_of(1): "Open on sundays"})
    return ship


def test_a_record_tells_when_each_stage_ran_and_where() -> None:
    ship = one()
    bars = {bar.step: bar for bar in ship.bars}
    assert (bars["connect"].left, bars["build.frontend"].left) == (0.0, 0.0), "side by side"
    assert bars["build.backend"].left < bars["build.frontend"].left + bars["build.frontend"].width
    assert [bars[step].place for step in ("connect", "build.backend", "upload", "switch")] == [
        "here",
        "here",
        "transfer",
        "server",
    ]
    assert all(bar.left >= 0 and bar.left + bar.width <= 100.001 for bar in ship.bars)
    assert ship.live_at == pytest.approx(100 * 3.85 / 6.2, abs=0.1)
    assert ship.ticks[0] == ("0 s", 0.0) and ship.ticks[-1][0] == "6 s"
    assert (ship.subject, ship.result) == ("Open on sundays", "good")


def test_a_stage_without_a_length_can_still_be_seen_and_stays_on_the_page() -> None:
    ship = one(stages=[stage("prune", 6.2, 6.2), stage("lay", 0.0, 0.0)])
    assert all(bar.width > 0 and bar.left + bar.width <= 100 for bar in ship.bars)


def test_what_each_of_several_servers_did_stands_together() -> None:
    ship = one(stages=[stage("build.frontend", 0, 2), *activation(2.0, "b"), *activation(2.1, "a")], seconds=7.0)
    servers = [bar.server for bar in ship.bars]
    assert servers == ["", *["b"] * 6, *["a"] * 6]
    assert ship.bytes is not None and (ship.bytes.sent, ship.bytes.whole) == (18_240, 4_800_000)


def test_bytes_are_told_against_a_copy_of_everything_only_where_that_is_known() -> None:
    told = one().bytes
    assert told is not None and told.share == pytest.approx(0.38)
    stages = [*activation(0.0), stage("image", 4.0, 5.0, bytes_sent=5_000_000)]
    told = one(stages=stages).bytes
    assert told is not None and (told.sent, told.whole, told.share) == (5_009_120, None, None)
    assert one(stages=[stage("connect", 0, 1)]).bytes is None


def test_health_is_what_the_steps_around_the_switch_said() -> None:
    assert dict(one().health)["new backend"] == "HTTP 200 after 0.4 s"
    failed = one(result="failed", stages=[stage("health", 0, 3, result="failed", text="exits at once")])
    assert (failed.health, failed.live_at, failed.result) == ((("new backend", "exits at once"),), None, "bad")


def test_the_journal_of_a_server_adds_what_others_shipped_and_repeats_nothing() -> None:
    mine = [record(2), record(1)]
    others = [ended(1), ended(2), ended(3, who="lee@desk"), ended(4, who="lee@desk", result="failed", reason="a\nb")]
    ships = tell_ships(mine, Journal.of([("203.0.113.7", answer(3, *others))]), {})
    assert [ship.release for ship in ships] == [release_id(number) for number in (4, 3, 2, 1)]
    failed, theirs = ships[:2]
    assert (theirs.from_journal, theirs.is_live, theirs.bars, theirs.bytes, theirs.author) == (
        True,
        True,
        (),
        None,
        "Lee Jun <lee@example.com>",
    )
    assert (failed.result, failed.error) == ("bad", {"what": "a", "why": "b", "fix": ""})
    assert not any(ship.from_journal for ship in ships[2:])


def test_several_servers_tell_of_the_same_ship_once() -> None:
    first, second = answer(3, ended(3, who="lee@desk")), answer(3, ended(3, 0.1, who="lee@desk"))
    (ship,) = tell_ships([], Journal.of([("a", first), ("b", second)]), {})
    assert ship.servers == ("a", "b")


def test_a_second_rollback_to_the_same_release_is_another_one() -> None:
    back = {"kind": "rollback", "who": "lee@desk"}
    ships = tell_ships([], Journal.of([("a", answer(1, ended(1, 5, **back), ended(1, 8, **back)))]), {})
    assert [ship.is_live for ship in ships] == [True, False]


def test_numbers_are_told_as_people_say_them() -> None:
    assert [amount(count) for count in (0, 620, 9_120, 849_988, 12_400_000, 3_000_000_000)] == [
        "0 bytes",
        "620 bytes",
        "9.1 kB",
        "850 kB",
        "12.4 MB",
        "3.0 GB",
    ]
    assert [seconds(number) for number in (None, 0.066, 2.94, 59.9, 192)] == [
        "–",
        "0.07 s",
        "2.9 s",
        "59.9 s",
        "3 min 12 s",
    ]
    assert [share(percent) for percent in (0.0131, 3.21, 64.2)] == ["0.013 %", "3.2 %", "64 %"]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//e.example", "http://[", "ftp://e.example"]
)
def test_only_web_addresses_can_be_clicked(url: str) -> None:
    assert safe_link(url) == ""
    assert safe_link("https://shop.example.com/x") == "https://shop.example.com/x"
