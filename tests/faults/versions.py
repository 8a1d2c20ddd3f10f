"""The apps of the fault matrix: pages that name their script, and notes that go into what survives releases."""

from __future__ import annotations

from pathlib import Path

from corner import Corner

STOP_FIRST_TOML = "strategy = 'stop-first'\nauto_rollback = { seconds = 5, at_least = 20 }\n"
_NOTE = """
    if path == "/api/note" and method == "POST":
        with open("/srv/corner/shared/data/notes", "ab", buffering=0) as notes:
            notes.write(b"note\\n")
        return 200, {"noted": VERSION}
    if path == "/api/hog":
        return 200, {"hog": len([bytearray(20_000_000) for _ in range(20)])}
    return 404, {"path": path}
"""
_STATIC_TOML = """
[backend.static]
url = "/static/"
root = "collected"
command = ["python", "collect.py"]
"""
_HOOKS_TOML = "".join(
    f'\n[[hooks.{when}]]\ncommand = ["python", "-c", "pass"]\non = "server"\n'
    for when in ("before_switch", "after_switch")
)
# One more service that outlives releases, until it is defined no more.
_LEAVING = """
  leaving:
    image: gig-database:1
    stop_signal: SIGKILL
    environment:
      DATABASE_PASSWORD: ${DATABASE_PASSWORD}
    volumes: ["leaving:/data"]
"""


def prepare(corner: Corner) -> None:
    """Give the app its notes, its hooks, all that a release can be made of, and its first version."""
    if corner.app == "gig":
        corner.edit("api/main.py", '"rows": int', '"noted": VERSION, "rows": int')
        corner.edit("docker-compose.yml", "\n  frontend:", f"{_LEAVING}\n  frontend:")
        corner.edit("docker-compose.yml", "  rows: {}\n", "  rows: {}\n  leaving: {}\n")
    else:
        corner.edit("backend/main.py", '    return 404, {"path": path}\n', _NOTE.lstrip("\n"))
        corner.write("backend/collect.py", 'open("collected/style.css", "w").write("body {}\\n")\n')
    corner.write("ship.toml", complete(corner.app, (corner.root / "ship.toml").read_text(encoding="utf-8")))
    set_version(corner, 0)


def complete(app: str, ship_toml: str) -> str:
    """Return the text of an app's ship.toml with all that a release can be made of."""
    text = ship_toml.replace('preset = "static"', 'preset = "static"\nhashed = "assets"')
    return text if app == "gig" else text.replace("\n[nginx]", f"{_STATIC_TOML}\n[nginx]") + _HOOKS_TOML


def set_version(corner: Corner, number: int) -> None:
    """Change everything that a release is made of: page, script, backend, units, nginx's files and, from the first to
    the second version in containers, what outlives releases.
    """
    # The name of the script tells its content, as a hash does.
    for old in (corner.root / "site/assets").glob("app*.js"):
        old.unlink()
    corner.write(f"site/assets/app-v{number}.js", f'console.log("v{number}");\n')
    corner.write(
        "site/index.html", f'<!doctype html><script src="/assets/app-v{number}.js"></script><h1>v{number}</h1>\n'
    )
    if corner.app == "gig":
        _replace_line(corner.root / "api/main.py", "VERSION = ", f'VERSION = "v{number}"')
        _replace_line(corner.root / "docker-compose.yml", "    mem_limit: ", f"    mem_limit: {96 + number}m")
        if number == 1:
            corner.edit("docker-compose.yml", _LEAVING, "")
    else:
        _replace_line(corner.root / "backend/main.py", "VERSION = ", f'VERSION = "v{number}"')
        _replace_line(corner.root / "ship.toml", "memory = ", f'memory = "{128 + number}M"')
    _replace_line(corner.root / "ship.toml", "rate = ", f'rate = "{9000 + number}r/s"')


def _replace_line(file: Path, beginning: str, line: str) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    places = [number for number, text in enumerate(lines) if text.startswith(beginning)]
    assert len(places) == 1, (file, beginning)
    lines[places[0]] = line
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
