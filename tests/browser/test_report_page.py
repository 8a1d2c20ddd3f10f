"""The report in a real browser: on a phone and on a desk, light and dark; what it says, that it fits, and that it can
be read. Nothing is asked from anywhere.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from math import ceil, floor
from pathlib import Path
from typing import Any, cast

import pytest
from chromium import Tab, open_tab
from PIL import Image
from shipped import HOSTILE, activation, answer, commit_of, ended, record, stage

from shipper.masking import hide
from shipper.report.page import Page, render_page
from shipper.report.ships import Journal, tell_ships

pytestmark = pytest.mark.xdist_group("report")

SECRET = "harbour-" + "light & <fog> 88"
FINDING = {"rule": "env.debug", "severity": "warning", "message": HOSTILE, "path": "a" * 300, "line": 3, "fix": "x"}
ERROR = {"what": f"It failed: {HOSTILE}", "why": "trace\n" * 80 + "=" * 400, "fix": "inv logs\ninv ship"}
RECORDS = [
    record(9, findings=[{**FINDING, "severity": severity} for severity in ("error", "warning", "note")]),
    record(8, result="failed", error=ERROR, stages=[stage("health", 0, 6.1, result="failed", text=HOSTILE)]),
    record(7, action="rollback", author=HOSTILE, trouble=["the old copy did not end"], run="javascript:alert(3)"),
    record(6, result="stopped", release="", previous=None, commit="", error={**ERROR, "what": "Stopped."}),
    record(5, servers=["a.example", "b.example"], stages=[*activation(0, "a.example"), *activation(1, "b.example")]),
    record(4, stages=[stage("upload", 0, 0.001), stage("prune", 6.199, 6.2, text=f"token {SECRET}")]),
]
JOURNAL = Journal.of([("203.0.113.7", answer(9, ended(3, who="lee@desk", result="failed", reason=HOSTILE)))])
NO_JOURNAL = Journal()
SIZES = {"phone": (390, 844), "desk": (1280, 900)}


def page_of(*records: dict[str, object], journal: Journal = NO_JOURNAL) -> str:
    hide({"HARBOUR_SECRET": SECRET})
    ships = tell_ships(records, journal, {commit_of(9): f"빵집 영업시간 {HOSTILE}"})
    made = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    return render_page(
        Page("shop", "production", "https://shop.example.com", made, "0.1.0", tuple(ships), len(records), ("a",), "")
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with open_tab(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(page_of(*RECORDS, journal=JOURNAL), encoding="utf-8")
    return file


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join)
def tab(browser: Tab, file: Path, request: pytest.FixtureRequest) -> Tab:
    """The report with everything folded out."""
    size, scheme = request.param
    width, height = SIZES[size]
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=size == "phone"
    )
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.requests.clear()
    browser.open(file.as_uri())
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    dark = browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark == (scheme == "dark")
    return browser


# Returns what is written with less than 4.5:1 against what is behind it: WCAG 2.2, 1.4.3, and its definition of
# relative luminance.
CONTRAST = """(() => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return {r, g, b, a}; };
  const light = ({r, g, b}) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.a === 1) return colour;
      if (colour.a !== 0) throw new Error('a colour that is neither there nor not');
    }
    return {r: 255, g: 255, b: 255, a: 1};
  };
  const weak = [];
  let seen = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !node.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen += 1;
    if (ratio < 4.5) weak.push(`${ratio.toFixed(2)} ${walk.currentNode.data.trim().slice(0, 40)}`);
  }
  return {seen, weak};
})()"""


def test_every_word_can_be_read(tab: Tab) -> None:
    found = tab.evaluate(CONTRAST)
    assert found["seen"] > 100
    assert found["weak"] == []


def test_nothing_is_wider_than_the_page_and_every_bar_is_inside_its_track(tab: Tab) -> None:
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = tab.evaluate("""(() => {
      const boxes = selector => [...document.querySelectorAll(selector)];
      const over = boxes('main *').filter(one => one.getBoundingClientRect().right > innerWidth + 0.5).length;
      const bars = boxes('.bar').map(bar => [bar.getBoundingClientRect(), bar.parentElement.getBoundingClientRect()]);
      const off = bars.filter(([bar, track]) =>
        bar.width < 2 || bar.left < track.left - 0.5 || bar.right > track.right + 3.5);
      const cut = boxes('.columns i').filter(one => one.getBoundingClientRect().height < 2).length;
      return {over, bars: bars.length, off: off.length, cut};
    })()""")
    assert outside == {"over": 0, "bars": sum(len(r["stages"]) for r in RECORDS), "off": 0, "cut": 0}


Colour = tuple[int, int, int]
# Of each of the three parts of a colour: rounding, and the compositor's own arithmetic.
CLOSE = 4
# Where boxes of a kind are on the page, and in which colours they are meant to be painted and written.
BOXES = """[...document.querySelectorAll(SELECTOR)].map(one => {
  const {left, top, right, bottom} = one.getBoundingClientRect(), style = getComputedStyle(one);
  const numbers = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const corners = [left, top + scrollY, right, bottom + scrollY];
  return {corners, ground: numbers(style.backgroundColor), ink: numbers(style.color), name: one.className};
}).filter(one => one.corners[2] > one.corners[0])"""


def boxes(tab: Tab, selector: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tab.evaluate(BOXES.replace("SELECTOR", json.dumps(selector)))
    return found


def colours(picture: Image.Image, corners: Sequence[float], inset: int = 0) -> list[tuple[int, Colour]]:
    """Return how many pixels of a box have which colour; `inset` pixels at its edges are left out."""
    left, top, right, bottom = corners
    part = picture.crop((ceil(left) + inset, ceil(top) + inset, floor(right) - inset, floor(bottom) - inset))
    return cast("list[tuple[int, Colour]]", part.getcolors(part.width * part.height))


def share(found: list[tuple[int, Colour]], wanted: Sequence[int], distance: int = CLOSE) -> float:
    """Return the share of pixels that have a colour, or one at most so far from it in each of its parts."""
    close = [n for n, one in found if all(abs(a - b) <= distance for a, b in zip(one, wanted, strict=True))]
    return sum(close) / sum(n for n, _ in found)


def test_a_picture_of_it_shows_what_the_page_says(tab: Tab) -> None:
    """In the scheme's ground to both edges, with the words in their ink, and every bar in its colour at its place."""
    picture = tab.picture()
    (page,) = boxes(tab, "body")
    dark = tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert max(page["ground"]) < 40 if dark else min(page["ground"]) > 215
    for left in (0, picture.width - 4):
        edge = colours(picture, (left, 0, left + 4, picture.height))
        assert share(edge, page["ground"]) == 1, "something is painted at the page's edge, and may be cut there"

    for box in boxes(tab, "h1, .tile dd.figure, .badge"):
        inked = share(colours(picture, box["corners"]), box["ink"], 40)
        assert 0 < inked < 0.5, f"no words, or nothing else: {box}"

    bars = [bar for bar in boxes(tab, ".bar:not(.cut)") if bar["corners"][2] - bar["corners"][0] >= 8]
    assert {"here", "transfer", "failed"} <= {word for bar in bars for word in bar["name"].split()}
    for bar in bars:
        painted = share(colours(picture, bar["corners"], 2), bar["ground"])
        assert painted >= 0.6, f"{bar}: {painted:.0%}"


def test_what_ran_side_by_side_is_drawn_side_by_side(tab: Tab) -> None:
    boxes = tab.evaluate("""Object.fromEntries([...document.querySelectorAll('#ship-0 .row')].map(row => {
      const {left, right, top} = row.querySelector('.bar').getBoundingClientRect();
      return [row.querySelector('.step').textContent, {left, right, top}];
    }))""")
    connect, frontend, backend = (boxes[step] for step in ("connect", "build.frontend", "build.backend"))
    assert abs(connect["left"] - frontend["left"]) < 1
    assert connect["right"] - 1 <= backend["left"] < frontend["right"] <= boxes["upload"]["left"]
    assert connect["top"] < frontend["top"] < backend["top"]


def test_words_do_not_lie_on_each_other(tab: Tab) -> None:
    pairs = tab.evaluate("""(() => {
      const texts = [...document.querySelectorAll('summary > *, .row > span, .tile > *, .facts > *, .grid span')]
        .map(one => [one.getBoundingClientRect(), one]).filter(([box]) => box.width && box.height);
      const found = [];
      texts.forEach(([a, one], i) => texts.slice(i + 1).forEach(([b, other]) => {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 1 && high > 1) found.push(`${one.textContent.trim()} / ${other.textContent.trim()}`);
      }));
      return found;
    })()""")
    assert pairs == []


def test_it_asks_for_nothing_and_runs_nothing(tab: Tab, file: Path) -> None:
    assert tab.requests == [file.as_uri()]
    text = file.read_text(encoding="utf-8")
    assert HOSTILE not in text
    assert tab.evaluate("document.scripts.length + document.images.length") == 0
    assert tab.evaluate("document.querySelectorAll('a[href^=javascript]').length") == 0
    assert HOSTILE in tab.text(), "shown as it is"


def test_it_says_what_happened_and_what_nobody_knows(tab: Tab) -> None:
    text = tab.text()
    for words in (
        "live now",
        "failed",
        "rolled back",
        "stopped",
        "빵집 영업시간",
        "9.1 kB",
        "2.4 MB",
        "HTTP 200 after 0.4 s",
    ):
        assert words in text, words
    assert "Not known: it was shipped from another machine" in text
    assert "their requests were not counted" in text
    assert SECRET not in text and "token ********" in text


def test_a_project_that_was_never_shipped_gets_a_page_as_well(browser: Tab, tmp_path: Path) -> None:
    (tmp_path / "empty.html").write_text(page_of(), encoding="utf-8")
    browser.open((tmp_path / "empty.html").as_uri())
    assert "Nothing was shipped yet" in browser.text()
    assert "inv ship --to production" in browser.text()
