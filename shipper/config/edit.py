"""Writing into `ship.toml`, one value or new entries, leaving its comments and layout as they are."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Array, InlineTable

from shipper.config.lines import Location, find_lines
from shipper.config.load import parse_project
from shipper.config.text import BYTE_ORDER_MARK, decode_text
from shipper.errors import ConfigError


def set_target_value(file: Path, target: str, key: str, value: str, server: int = 0) -> None:
    """Write `key = "value"` into `[targets.<target>]` of the `ship.toml` at `file`; for a `server` above 0 into the
    table of that further server.

    The file is replaced in one step, and only when it is valid afterwards. Raises ConfigError when the file cannot be
    right, before or after, or has no such target.
    """
    content = file.read_bytes()
    text = decode_text(content, file.name)
    project = parse_project(text, file.name)
    if target not in project.targets:
        raise ConfigError(
            f"There is no [targets.{target}] in {file.name}.",
            why=f"The targets are: {', '.join(project.targets) or 'none yet'}.",
            fix=f'Add [targets.{target}] with host = "..." to {file.name}.',
        )
    table: Location = ("targets", target, "more", server - 1) if server else ("targets", target)
    changed = _with_value(text, table, key, value)
    parse_project(changed, file.name)
    mark = BYTE_ORDER_MARK if content.startswith(BYTE_ORDER_MARK.encode()) else ""
    _replace(file, (mark + changed).encode())


def add_allowed(file: Path, entries: Sequence[Mapping[str, str]], remark: str) -> None:
    """Add `[[check.allow]]` entries, keys and texts, to the end of the `ship.toml` at `file`, each with a comment
    behind its first line.

    The file is replaced in one step, and only when it is valid afterwards. Raises ConfigError when it cannot be right.
    """
    content = file.read_bytes()
    text = decode_text(content, file.name)
    parse_project(text, file.name)
    changed = _with_entries(text, entries, remark)
    parse_project(changed, file.name)
    mark = BYTE_ORDER_MARK if content.startswith(BYTE_ORDER_MARK.encode()) else ""
    _replace(file, (mark + changed).encode())


def _with_entries(text: str, entries: Sequence[Mapping[str, str]], remark: str) -> str:
    document: Any = tomlkit.parse(text)
    check = document.get("check")
    allowed = check.get("allow") if check is not None else None
    if isinstance(check, InlineTable) or isinstance(allowed, Array):
        # Written in brackets, where no [[check.allow]] can be added: these become elements of the list.
        listed: Any = allowed if allowed is not None else tomlkit.array()
        for entry in entries:
            element = tomlkit.inline_table()
            element.update(entry)
            listed.add_line(element, comment=remark)
        listed.add_line(indent="")
        check["allow"] = listed
        return tomlkit.dumps(document)
    ending = "\r\n" if "\r\n" in text else "\n"
    gap = "" if text.endswith("\n") else ending
    return text + gap + render_allowed(entries, remark).replace("\n", ending)


def render_allowed(entries: Sequence[Mapping[str, str]], remark: str) -> str:
    """Return entries as they stand in a `ship.toml`: `[[check.allow]]` tables, each below an empty line."""
    tables = []
    for entry in entries:
        lines = [f"{key} = {_quoted(value)}" for key, value in entry.items()]
        tables.append("\n".join(["", f"[[check.allow]]  # {remark}", *lines, ""]))
    return "".join(tables)


def _with_value(text: str, table: Location, key: str, value: str) -> str:
    lines = text.splitlines(keepends=True)
    known = find_lines(text)
    place = known[*table, "host"]
    host = re.match(r"([ \t]*)host[ \t]*=[^\r\n]*(\r?\n|$)", lines[place - 1])
    if (*table, key) not in known and host:
        # Below the host, which every server has: tomlkit would put it below the comments of the next table.
        ending = host[2] or "\n"
        lines[place - 1 : place] = [host[0].rstrip("\r\n") + ending, f"{host[1]}{key} = {_quoted(value)}{ending}"]
        return "".join(lines)
    document: Any = tomlkit.parse(text)
    place_in_document = document
    for part in table:
        place_in_document = place_in_document[part]
    place_in_document[key] = value
    return tomlkit.dumps(document)


def _quoted(value: str) -> str:
    return tomlkit.string(value).as_string()


def _replace(file: Path, content: bytes) -> None:
    """Replace a file in one step, keeping its mode: a reader sees the old content or the new, never a part."""
    handle, scratch = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        shutil.copymode(file, scratch)
        Path(scratch).replace(file)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
