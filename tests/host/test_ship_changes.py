"""A change ships as what changed in its files; whatever the server has lost of what they are made from comes whole."""

from __future__ import annotations

from conftest import Exec
from corner import Corner

LIVE = "/srv/corner/current/site"


def page(title: str) -> str:
    words = " ".join(str(number * number) for number in range(3000))
    return f"<!doctype html><title>{title}</title><p>{words}</p>\n"


def test_a_change_ships_as_what_changed_and_what_the_server_lost_comes_whole(
    corner: Corner, sandbox_exec: Exec
) -> None:
    corner.write("site/index.html", page("one"))
    corner.write("site/about.html", page("about one"))
    corner.shipped()
    corner.write("site/index.html", page("two"))
    changed = corner.ship()
    assert changed.code == 0, changed.output
    assert "1 by what changed in them" in changed.output
    assert sent(changed.output) < 1000
    assert corner.get("/")[1] == page("two")

    # One base is damaged, another is gone together with what the live release was told to be.
    assert sandbox_exec(["sh", "-c", f"printf x | dd of={LIVE}/index.html conv=notrunc status=none"])[0] == 0
    corner.write("site/index.html", page("three"))
    damaged = corner.ship()
    assert damaged.code == 0, damaged.output
    assert "The server lacks 1 file more than was known" in damaged.output
    assert corner.get("/")[1] == page("three")

    assert sandbox_exec(["sh", "-c", "rm /srv/corner/releases/*/manifest.json"])[0] == 0
    corner.write("site/index.html", page("four"))
    forgotten = corner.ship()
    assert forgotten.code == 0, forgotten.output
    assert (corner.get("/")[1], corner.get("/about.html")[1]) == (page("four"), page("about one"))


def sent(output: str) -> int:
    line = next(line for line in output.splitlines() if line.startswith("  ok   upload"))
    return int(line.partition(" as ")[2].partition(";")[0].replace(",", ""))
