"""Which release a word means, and how releases and differences are shown."""

from __future__ import annotations

import pytest
from rich.console import Console

from shipper.errors import ConfigError
from shipper.pipeline.releases import Comparison, ServerReleases, find_release, sides
from shipper.report import releases as report
from shipper.tasks.browser import has_browser

LISTED = [
    {"id": "20261120T000004Z-ddddddd", "live": False, "state": "bad"},
    {"id": "20261120T000003Z-ccccccc", "live": True, "state": "good"},
    {"id": "20261120T000002Z-bbbbbbb", "live": False, "state": "bad"},
    {"id": "20261120T000001Z-aaaaaaa", "live": False, "state": "good"},
]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("", "", ("previous", "live")),
        ("live", "", ("previous", "live")),
        ("previous", "", ("previous", "live")),
        ("aaaaaaa", "", ("aaaaaaa", "live")),
        ("here", "", ("live", "here")),
        ("live", "here", ("live", "here")),
        ("a", "b", ("a", "b")),
        ("", "b", ("previous", "b")),
    ],
)
def test_one_release_is_compared_with_the_live_one_and_none_with_the_one_before(
    old: str, new: str, wanted: tuple[str, str]
) -> None:
    assert sides(old, new) == wanted


def test_what_is_built_here_cannot_be_the_older_one() -> None:
    with pytest.raises(ConfigError) as raised:
        sides("here", "live")
    assert raised.value.fix.endswith("shipper diff live here")


@pytest.mark.parametrize(
    ("word", "number"),
    [("live", 3), ("previous", 1), ("20261120T000002Z-bbbbbbb", 2), ("ddddddd", 4), ("000001Z", 1)],
)
def test_a_release_is_found_by_a_word_its_id_or_a_part_of_it(word: str, number: int) -> None:
    assert find_release(LISTED, word).startswith(f"20261120T00000{number}Z")


@pytest.mark.parametrize(
    ("listed", "word", "what"),
    [
        (LISTED, "zzz", "There is no release zzz."),
        (LISTED, "20261120", "20261120 may be one of several releases."),
        (LISTED[:1], "live", "No release is live."),
        (LISTED[:3], "previous", "There is no good release before the live one."),
    ],
)
def test_a_word_that_means_no_release_is_an_error_that_names_those_there_are(
    listed: list[dict[str, object]], word: str, what: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        find_release(listed, word)
    assert raised.value.what == what
    assert "20261120T000004Z-ddddddd" in raised.value.why


def test_before_the_first_ship_there_is_nothing_to_compare() -> None:
    with pytest.raises(ConfigError, match="Nothing was shipped to this server yet") as raised:
        find_release([], "live")
    assert raised.value.fix == "inv ship"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Console:
    """The console as a terminal of 80 columns that keeps what it is told."""
    console = Console(width=80, record=True, highlight=False, soft_wrap=True)
    monkeypatch.setattr(report, "console", console)
    return console


def entry(number: int, **changes: object) -> dict[str, object]:
    return {
        "id": f"20261120T00000{number}Z-abcdef1",
        "live": False,
        "state": "good",
        "created": "2026-11-20T00:00:00Z",
        "who": "kim@laptop",
        "commit": "abcdef1234",
        "subject": "a change",
        "dirty": False,
        "changed": ["site"],
        "against": "x",
        "bytes": 1_234_567,
        "own_bytes": 890,
        **changes,
    }


def test_a_list_shows_where_each_release_came_from_in_lines_that_fit(shown: Console) -> None:
    odd = entry(2, live=True, dirty=True, subject="[red]\x1b[2J" + "x" * 90, changed=[])
    report.show_releases([ServerReleases("", (odd, entry(1, against="", commit="")))], "production")
    text = shown.export_text()
    assert "live" in text and "nothing changed" in text and "1.2 MB, 890 B of it new" in text
    assert "abcdef1+ [red]�[2Jx" in text and "the first one" in text and "no commit" in text
    assert "\x1b" not in text
    assert all(len(line) <= 105 for line in text.splitlines())


def test_servers_that_have_the_same_are_shown_once(shown: Console) -> None:
    servers = [ServerReleases(name, (entry(1),)) for name in ("a.example", "b.example")]
    report.show_releases(servers, "production")
    assert shown.export_text().count("20261120T000001Z-abcdef1") == 1


def test_nothing_shipped_yet_ends_with_the_next_command(shown: Console) -> None:
    report.show_releases([ServerReleases("", ())], "staging")
    assert "-> inv ship --to staging" in shown.export_text()


def difference(count: int) -> dict[str, object]:
    none: dict[str, list[object]] = {"added": [], "changed": [], "removed": []}
    return {
        "old": entry(1),
        "new": entry(2),
        "kinds": ["site", "env"],
        "files": {
            "site": {**none, "added": [[f"page{number}.html", 10] for number in range(count)]},
            "backend": none,
            "dependencies": {**none, "changed": [["django/a.py", 1, 2]]},
        },
        "packages": {**none, "changed": [["django", "5.1", "5.2"]]},
        "image": ["", ""],
        "env": {**none, "added": ["NEW_KEY"]},
        "config": {"nginx/server": ["@@ -1 +1 @@", "-a", "+b"]},
        "migrations": {**none, "added": ["shop/migrations/0002_more.py"]},
    }


def test_a_difference_names_what_changed_and_cuts_long_lists_off(shown: Console) -> None:
    report.show_comparisons([Comparison("", difference(30))], short=False, everything=False)
    text = shown.export_text()
    for words in ("30 added", "and 10 more (--full)", "~ django 5.1 -> 5.2", "+ NEW_KEY", "0002_more.py", "\n  +b\n"):
        assert words in text
    assert "django/a.py" not in text, "the files of a package are noise beside its version"


def test_a_difference_that_is_the_same_on_all_servers_is_shown_once(shown: Console) -> None:
    other = {**difference(1), "new": entry(2, slot="b" * 12)}
    report.show_comparisons([Comparison("a", difference(1)), Comparison("b", other)], short=False, everything=False)
    text = shown.export_text()
    assert text.count("page0.html") == 1 and "the same as on a" in text


def test_in_full_every_name_is_shown_and_in_short_none(shown: Console) -> None:
    report.show_comparisons([Comparison("", difference(30))], short=False, everything=True)
    assert "page29.html" in shown.export_text()
    report.show_comparisons([Comparison("", difference(30))], short=True, everything=False)
    text = shown.export_text()
    assert "30 added" in text and "config        nginx/server  +1 -1" in text
    assert "page0.html" not in text and "+b" not in text


@pytest.mark.parametrize(
    ("environment", "platform", "wanted"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"BROWSER": "wslview"}, "linux", True),
        ({"DISPLAY": ":0", "CI": "true"}, "linux", False),
        ({}, "win32", True),
        ({}, "darwin", True),
        ({"SSH_CONNECTION": "1 2 3 4"}, "darwin", False),
    ],
)
def test_a_browser_is_only_asked_for_where_it_has_a_screen(
    environment: dict[str, str], platform: str, wanted: bool
) -> None:
    assert has_browser(environment, platform) is wanted
