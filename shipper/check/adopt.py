"""`inv check --adopt`: what is found today becomes entries of ship.toml, so that only what is new is told later."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path

from shipper.config.edit import add_allowed, render_allowed
from shipper.config.load import FILE_NAME
from shipper.errors import ConfigError
from shipper.findings import Finding

_REMARK = "to be looked at"


def find_file(start: Path) -> Path:
    """Return the ship.toml in the folder `start` or nearest above it, up to the git root. Raises ConfigError."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        if (folder / ".git").exists():
            break
    raise ConfigError(
        f"There is no {FILE_NAME} in {start} or above it, so there is no place for what is to be adopted.",
        why=f"What may stay is written into {FILE_NAME}, as entries of [[check.allow]].",
        fix="Settle the findings, or write beside each that may stay, as a comment: shipper: allow - <why>",
    )


def find_place_for_entries(start: Path) -> tuple[Path, str]:
    """Return the ship.toml that entries for findings in the folder `start` go to, and its folder in the repository.

    Where there is no git, paths of findings begin at `start`, so only a ship.toml right there can name them. Raises
    ConfigError.
    """
    from shipper.check.hygiene.git import GitRepository

    file = find_file(start)
    repository = GitRepository.find(start)
    if repository is not None:
        with repository:
            under = file.parent.resolve().relative_to(repository.work_tree().resolve()).as_posix()
        return file, "" if under == "." else under
    if file.parent != start.resolve():
        raise ConfigError(
            f"{file} is above this folder, and without git there is nothing that says how far its project goes.",
            why="What was found here is named by its path from here, which an entry in that file would not mean.",
            fix=f"cd {file.parent}\nshipper check --adopt",
        )
    return file, ""


def entries_for(findings: Iterable[Finding], today: datetime.date, *, under: str = "") -> list[dict[str, str]]:
    """Return the entries that cover the findings, one for each rule, file and commit, sorted.

    `under` is the folder of ship.toml within the repository. What no entry can cover is left out: findings about
    allowances, and those of files outside of that folder.
    """
    prefix = f"{under.strip('/')}/" if under.strip("/") else ""
    places = {
        (finding.path.removeprefix(prefix), finding.rule, finding.commit)
        for finding in findings
        if not finding.rule.startswith("allow.")
        and (finding.path or finding.commit)
        and (not finding.path or finding.path.startswith(prefix))
    }
    reason = f"adopted on {today.isoformat()}, {_REMARK}"
    return [
        {"rule": rule, **({"path": path} if path else {}), **({"commit": commit} if commit else {}), "reason": reason}
        for path, rule, commit in sorted(places)
    ]


def adopt(findings: Iterable[Finding], today: datetime.date, *, under: str = "") -> str:
    """Return the text of the `[[check.allow]]` entries that cover the findings, each marked as to be looked at."""
    return render_allowed(entries_for(findings, today, under=under), _REMARK)


def adopt_into(file: Path, findings: Iterable[Finding], today: datetime.date, *, under: str = "") -> int:
    """Add the entries that cover the findings to the ship.toml `file`, and return how many there are.

    Raises ConfigError when the file cannot be right; nothing is written then.
    """
    entries = entries_for(findings, today, under=under)
    if entries:
        add_allowed(file, entries, _REMARK)
    return len(entries)
