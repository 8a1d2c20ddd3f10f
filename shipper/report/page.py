"""The report as one HTML page that needs nothing else: no script, no font, no request; it is read from a file."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shipper.masking import masked
from shipper.report.ships import Bytes, Ship

if TYPE_CHECKING:
    from jinja2 import Template

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
# The columns of the overview; more would be too narrow to be hit by a finger.
_COLUMNS = 24


@dataclass(frozen=True)
class Page:
    """What stands on the page: the ships, the newest first, and where they are known from.

    `servers_read` are the servers whose journal was read; `unread` says why one could not be, "" when all were.
    """

    app: str
    target: str
    url: str
    made: datetime.datetime
    version: str
    ships: tuple[Ship, ...]
    records: int
    servers_read: tuple[str, ...] = ()
    unread: str = ""

    @property
    def columns(self) -> list[tuple[Ship, float]]:
        """The ships of the overview, the oldest first, each with its height in percent of the longest one."""
        shown = reversed(self.ships[:_COLUMNS])
        return [(ship, round(max(4.0, 100 * (ship.seconds or 0.0) / (self.longest or 1.0)), 2)) for ship in shown]

    @property
    def longest(self) -> float:
        """The most seconds of a ship in the overview."""
        return max((ship.seconds or 0.0 for ship in self.ships[:_COLUMNS]), default=0.0)

    @property
    def went_live(self) -> int:
        """How many went live."""
        return sum(ship.result == "good" for ship in self.ships)

    @property
    def median_seconds(self) -> float | None:
        """The median of the seconds of the ships (not the rollbacks) that went live."""
        known = [
            ship.seconds for ship in self.ships if ship.result == "good" and ship.action == "ship" and ship.seconds
        ]
        return statistics.median(known) if known else None

    @property
    def bytes(self) -> Bytes | None:
        """What all ships together sent, of those for which it is known what everything would have been."""
        known = [ship.bytes for ship in self.ships if ship.bytes and ship.bytes.whole]
        return Bytes(sum(one.sent for one in known), sum(one.whole or 0 for one in known)) if known else None


def render_page(page: Page) -> str:
    """Return the page. Every text on it comes from somewhere else and means nothing in HTML; secrets are masked."""
    return _template().render(page=page)


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "html"),
        undefined=StrictUndefined,
        autoescape=True,
        # Before the text is escaped: afterwards a secret with a `&` is another text.
        finalize=lambda value: masked(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "amount": amount,
        "seconds": seconds,
        "share": share,
        "href": safe_link,
        "moment": lambda moment: f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC",
        "day": lambda moment: f"{moment.astimezone(datetime.UTC):%d %b, %H:%M}",
    }
    environment.filters.update(filters)
    return environment.get_template("report.html.j2")


def amount(count: float) -> str:
    """Return bytes for people, in steps of a thousand: "620 bytes", "849 kB", "12.4 MB"."""
    number, unit = float(count), _UNITS[0]
    for unit in _UNITS:
        if number < 1000 or unit == _UNITS[-1]:
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "bytes" or number >= 100 else f"{number:.1f} {unit}"


def seconds(number: float | None) -> str:
    """Return a span for people: "0.07 s", "2.9 s", "3 min 12 s"; a dash when it is not known."""
    if number is None:
        return "–"
    if number < 60:
        return f"{number:.2f} s" if number < 0.995 else f"{number:.1f} s"
    return f"{int(number // 60)} min {int(number % 60)} s"


def share(percent: float) -> str:
    """Return percents with as many digits as say something: "0.07 %", "12 %"."""
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %" if percent >= 1 else f"{percent:.2g} %"


def safe_link(url: str) -> str:
    """Return an address that may be clicked, "" for any other: `javascript:` is one, too."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def subjects_of(root: Path, commits: Sequence[str]) -> dict[str, str]:
    """Return the first lines of the commits that are in the repository of this machine."""
    from shipper.errors import ConfigError
    from shipper.git import ask_git

    found: dict[str, str] = {}
    for commit in dict.fromkeys(commits):
        # A record of the server is somebody else's text: only what is a commit's name is asked for.
        if len(commit) >= 7 and all(letter in "0123456789abcdef" for letter in commit):
            try:
                answer = ask_git(root, "log", "-1", "--format=%s", "--no-show-signature", commit, "--", codes=(0, 128))
            except ConfigError:
                return {}
            if subject := answer.decode("utf-8", "replace").strip():
                found[commit] = subject
    return found
