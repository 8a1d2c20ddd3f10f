"""The app of the fault matrix: the corner shop, with pages that name their script and notes that go into a file."""

from __future__ import annotations

from pathlib import Path

from corner import Corner

_NOTE = """
    if path == "/api/note" and method == "POST":
        with open("/srv/corner/shared/data/notes", "ab", buffering=0) as notes:
            notes.write(b"note\\n")
        return 200, {"noted": VERSION}
    if path == "/api/hog":
        return 200, {"hog": len([bytearray(20_000_000) for _ in range(20)])}
    return 404, {"path": path}
"""


def prepare(corner: Corner) -> None:
    """Give the app its notes, and its first version."""
    corner.edit("backend/main.py", '    return 404, {"path": path}\n', _NOTE.lstrip("\n"))
    corner.edit("ship.toml", 'preset = "static"', 'preset = "static"\nhashed = "assets"')
    set_version(corner, 0)


def set_version(corner: Corner, number: int) -> None:
    """Change everything that a release is made of: page, script, backend, unit and nginx's files."""
    # The name of the script tells its content, as a hash does.
    for old in (corner.root / "site/assets").glob("app*.js"):
        old.unlink()
    corner.write(f"site/assets/app-v{number}.js", f'console.log("v{number}");\n')
    corner.write(
        "site/index.html", f'<!doctype html><script src="/assets/app-v{number}.js"></script><h1>v{number}</h1>\n'
    )
    _replace_line(corner.root / "backend/main.py", "VERSION = ", f'VERSION = "v{number}"')
    _replace_line(corner.root / "ship.toml", "memory = ", f'memory = "{128 + number}M"')
    _replace_line(corner.root / "ship.toml", "rate = ", f'rate = "{9000 + number}r/s"')


def _replace_line(file: Path, beginning: str, line: str) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    places = [number for number, text in enumerate(lines) if text.startswith(beginning)]
    assert len(places) == 1, (file, beginning)
    lines[places[0]] = line
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
