"""Tells by a file's name (and its beginning, where the name alone does not say) what must not be in git."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from shipper.check.hygiene.found import Found
from shipper.findings import Severity

# How much of a file's beginning the rules may need: enough for the schema of a usual dump before its first rows.
LOOKED_AT_BYTES = 65536
# GitHub warns at 50 MiB and refuses at 100 MiB:
# https://docs.github.com/repositories/working-with-files/managing-large-files/about-large-files-on-github
_LARGE = 50 * 1024 * 1024
_TOO_LARGE = 100 * 1024 * 1024
# What people and editors put behind the name of a copy.
_COPY = (
    r"(?:\.(?:bak|backup|old|orig|save|copy|bkp|tmp|swp|disabled|\d{1,8})|~|[-_ ]?\(\d\)|"
    r"[-_ ](?:copy|backup|old|복사본))$"
)


@dataclass(frozen=True)
class _Rule:
    id: str
    severity: Severity
    what: str
    why: str
    fix: str
    names: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    pattern: str = ""
    path_pattern: str = ""
    exception: str = ""
    content: str = ""

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str] | None, ...]:
        return tuple(re.compile(text) if text else None for text in (self.pattern, self.path_pattern, self.exception))

    def fits(self, path: str, name: str) -> bool:
        """Tell whether the rule speaks about this name, in lower case."""
        pattern, path_pattern, exception = self._patterns
        fitting = (
            name in self.names
            or (name.endswith(self.suffixes) and name not in self.suffixes)
            or any(path == end or path.endswith("/" + end) for end in self.paths)
            or bool(pattern and pattern.fullmatch(name))
            or bool(path_pattern and path_pattern.search(path))
        )
        return fitting and not (exception and exception.search(name))


def check_name(path: str, size: int, read_beginning: Callable[[], bytes]) -> Found | None:
    """Return why a file of this name must not be in git, or None.

    `path` is relative, with "/". `size` is in bytes. `read_beginning` gives the first `LOOKED_AT_BYTES` bytes (or
    all, if there are fewer) and is called at most once, and only when the name alone does not tell.
    """
    beginning = cache(read_beginning)
    lower = path.lower()
    folders, slash, name = lower.rpartition("/")
    bare = _without_copy_mark(name)
    for rule in _load_rules():
        for spelled in (name,) if bare == name else (name, bare):
            if rule.fits(folders + slash + spelled, spelled) and _has_content(
                rule, folders + slash + spelled, beginning
            ):
                return _found(rule, path)
    return _check_size(size)


def _without_copy_mark(name: str) -> str:
    """Return `server.key` for `server.key.bak`: the copy of a key is a key."""
    for _ in range(3):
        shorter = re.sub(_COPY, "", name)
        if not shorter or shorter == name:
            return name
        name = shorter
    return name


def _has_content(rule: _Rule, path: str, beginning: Callable[[], bytes]) -> bool:
    if not rule.content:
        return True
    from shipper.check.hygiene.beginnings import CHECKS

    return CHECKS[rule.content](path, _as_bytes_of_ascii(beginning()))


def _as_bytes_of_ascii(beginning: bytes) -> bytes:
    """Return UTF-16, as PowerShell's `>` writes it, as UTF-8: the rules look for ASCII."""
    if not beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        return beginning
    return beginning.decode("utf-16", "replace").encode()


def _found(rule: _Rule, path: str) -> Found:
    what = rule.what
    if rule.id == "name.dependencies":
        folder = re.search(rule.path_pattern, path.lower())
        # The same sentence for every file of the folder, so that it can be told once.
        what = f"{what}: {path[: folder.end()].rstrip('/')}" if folder else what
    return Found(rule.id, rule.severity, None, what, rule.why, rule.fix)


def _check_size(size: int) -> Found | None:
    if size < _LARGE:
        return None
    return Found(
        "name.large-file",
        "error" if size >= _TOO_LARGE else "warning",
        None,
        f"A file of {size / 1024 / 1024:.0f} MiB",
        "GitHub refuses files from 100 MiB and warns from 50 MiB; a large file stays in every clone for ever.",
        "Keep it in Git LFS (git lfs track) or in storage, and add it to .gitignore.",
    )


@cache
def _load_rules() -> tuple[_Rule, ...]:
    import tomllib

    data = tomllib.loads((Path(__file__).parent / "names.toml").read_text(encoding="utf-8"))
    return tuple(
        _Rule(
            id=entry["id"],
            severity=entry["severity"],
            what=entry["what"],
            why=entry["why"],
            fix=entry["fix"],
            names=frozenset(entry.get("names", ())),
            suffixes=tuple(entry.get("suffixes", ())),
            paths=tuple(entry.get("paths", ())),
            pattern=entry.get("pattern", ""),
            path_pattern=entry.get("path_pattern", ""),
            exception=entry.get("except", ""),
            content=entry.get("content", ""),
        )
        for entry in data["rule"]
    )
