"""Rules about .gitignore (field note G3): what it should cover and does not, what it covers and should not, and what
it covers in vain. git itself is asked, so every odd pattern means what it means to git."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shipper.check.ignore_answers import Answers, Rule, copied_rules
from shipper.check.ignore_table import (
    DERIVED,
    EXAMPLES,
    SOURCE_FOLDERS,
    TYPICAL,
    TYPICAL_IN_SOURCES,
    WANTED,
    Wanted,
    is_source,
    line_matches,
)
from shipper.check.ignore_tree import Tree, join, read_tree
from shipper.findings import Finding, Severity

_PERSONAL = (
    "Your own excludes (core.excludesFile, ~/.config/git/ignore, .git/info/exclude) were not counted: nobody else has "
    "them."
)
_MOST_WALKED = 2_000


@dataclass(frozen=True)
class Hole:
    """A line that is missing, the folders in which it is, and the files that `git add .` would take for want of it."""

    wanted: Wanted
    line: str
    folders: tuple[str, ...]
    exposed: tuple[str, ...]


def check_ignores(top: Path) -> list[Finding]:
    """Return the findings about the .gitignore files of the worktree at `top`.

    `ignore.hole`: something is not ignored that should be. `ignore.too-wide`: a line ignores what people write.
    `ignore.tracked`: a line ignores what git tracks anyway. `ignore.unreadable`: git cannot read the file's lines.
    Raises ConfigError outside of a repository.
    """
    tree = read_tree(top)
    with copied_rules(top, tree.rule_files) as answers:
        findings = [_describe_hole(hole) for hole in find_holes(tree, answers)]
        existing = dict(_swallowed(tree, answers))
        findings += [_describe_too_wide(rule, paths, "warning") for rule, paths in existing.items()]
        typical = {rule: paths for rule, paths in _typical(tree, answers).items() if rule not in existing}
        findings += [_describe_too_wide(rule, paths, "note") for rule, paths in typical.items()]
        findings += [_describe_tracked(rule, paths) for rule, paths in _in_vain(tree, answers).items()]
    return [*_unreadable(tree), *findings]


def find_holes(tree: Tree, answers: Answers) -> list[Hole]:
    """Return what should be ignored and is not, one hole for each line to be written."""
    folders = tree.folders()
    asked = [
        (wanted, folder, join(folder, wanted.sample))
        for wanted in WANTED
        for folder, kinds in folders.items()
        if not kinds.isdisjoint(wanted.kinds)
    ]
    covered = answers.rules(path for _, _, path in asked)
    missing: dict[str, tuple[Wanted, list[str]]] = {}
    for wanted, folder, path in asked:
        if path not in covered and not _is_meant(tree, wanted, folder, path):
            line = _escape(folder, wanted.line) if _is_anchored(tree, wanted) else wanted.line
            missing.setdefault(line, (wanted, []))[1].append(folder)
    return [
        Hole(wanted, line, tuple(found), tuple(path for path in tree.others if _is_exposed(wanted, found, path)))
        for line, (wanted, found) in missing.items()
        if wanted.unless not in missing
    ]


def _is_meant(tree: Tree, wanted: Wanted, folder: str, path: str) -> bool:
    """Say whether the project tracks on purpose what others ignore: a `.env.production` of public values, a `dist/`."""
    if wanted.secret:
        return path in tree.tracked and wanted.line != ".env"
    return any(line_matches(wanted.line, tracked) for tracked in _below(folder, tree.tracked))


def _is_anchored(tree: Tree, wanted: Wanted) -> bool:
    """Say whether the line must name its folder, so that it does not reach what is tracked elsewhere."""
    return wanted.anchored or any(line_matches(wanted.line, path) for path in tree.tracked)


def _is_exposed(wanted: Wanted, folders: Iterable[str], path: str) -> bool:
    return line_matches(wanted.line, path) and any(True for folder in folders for _ in _below(folder, [path]))


def _below(folder: str, paths: Iterable[str]) -> Iterator[str]:
    prefix = join(folder, "")
    return (path.removeprefix(prefix) for path in paths if path.startswith(prefix))


def _escape(folder: str, line: str) -> str:
    """Return a line that holds in one folder alone; gitignore(5) wants a backslash before what means something."""
    escaped = "".join(f"\\{letter}" if letter in "\\*?[" else letter for letter in folder)
    return f"/{join(escaped, line)}"


def _swallowed(tree: Tree, answers: Answers) -> Iterator[tuple[Rule, list[str]]]:
    """Yield the lines that ignore what people wrote, with the files: tracked by force, or about to be lost."""
    packages = tree.packages
    lost = [path for entry in tree.ignored if (path := _written_by_people(tree.top, entry, packages))]
    forced = [path for path in tree.tracked_ignored if is_source(path)]
    by_rule: dict[Rule, list[str]] = {}
    for path, rule in answers.rules([*forced, *lost]).items():
        if rule.anywhere:
            by_rule.setdefault(rule, []).append(path)
    yield from by_rule.items()


def _written_by_people(top: Path, entry: str, packages: frozenset[str]) -> str:
    """Return one file that people wrote in what git ignores, empty when there is none.

    A folder only counts below one that holds sources: a `build/` beside them is what it says.
    """
    path = PurePosixPath(entry)
    if not entry.endswith("/"):
        return entry if is_source(entry) and (path.name.endswith(EXAMPLES) or path.parent.name == "migrations") else ""
    above = path.parent.parts
    if not DERIVED.isdisjoint(path.parts) or (SOURCE_FOLDERS.isdisjoint(above) and str(path.parent) not in packages):
        return ""
    walked = 0
    for parent, folders, files in os.walk(top / entry):
        folders[:] = sorted(name for name in folders if name not in DERIVED)
        for name in sorted(files):
            found = (Path(parent) / name).relative_to(top).as_posix()
            if is_source(found):
                return found
        walked += len(files)
        if walked > _MOST_WALKED:
            break
    return ""


def _typical(tree: Tree, answers: Answers) -> dict[Rule, list[str]]:
    """Return the lines that would ignore files as most projects of the kind have them."""
    paths = []
    for folder, kinds in tree.folders().items():
        paths += [join(folder, path) for kind in kinds for path in TYPICAL.get(kind, ())]
        for inner in tree.source_folders(folder):
            paths += [join(inner, path) for kind in kinds for path in TYPICAL_IN_SOURCES.get(kind, ())]
    found: dict[Rule, list[str]] = {}
    for path, rule in answers.rules(sorted(paths)).items():
        if rule.anywhere:
            found.setdefault(rule, []).append(path)
    return found


def _in_vain(tree: Tree, answers: Answers) -> dict[Rule, list[str]]:
    """Return the lines that ignore tracked files which are no sources, with these files."""
    found: dict[Rule, list[str]] = {}
    for path, rule in answers.rules(tree.tracked_ignored).items():
        if not (rule.anywhere and is_source(path)):
            found.setdefault(rule, []).append(path)
    return found


def _unreadable(tree: Tree) -> Iterator[Finding]:
    for path in tree.rule_files:
        if (tree.top / path).is_file() and (tree.top / path).read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff"):
            yield Finding(
                rule="ignore.unreadable",
                severity="error",
                path=path,
                message=f"{path} is saved as UTF-16, and git reads not one of its lines.",
                why="Windows PowerShell writes UTF-16 when the output of a command is sent to a file with '>'.",
                fix=f"Open {path} in an editor, choose 'Save with encoding: UTF-8', and save it.",
            )


def _describe_hole(hole: Hole) -> Finding:
    wanted = hole.wanted
    places = _some([folder or "the top folder" for folder in hole.folders])
    taken = f" {_some(hole.exposed)} would be taken by `git add .` now." if hole.exposed else ""
    severities: Mapping[tuple[bool, bool], Severity] = {
        (True, True): "error",
        (True, False): "warning",
        (False, True): "warning",
        (False, False): "note",
    }
    return Finding(
        rule="ignore.hole",
        severity=severities[wanted.secret, bool(hole.exposed)],
        path=".gitignore",
        message=f"{wanted.line} is not ignored in {places}: {wanted.what}.{taken}",
        why=f"What is not ignored is committed by the next `git add .`. {_PERSONAL}",
        fix=f"Add this line to .gitignore: {hole.line}",
    )


def _describe_too_wide(rule: Rule, paths: list[str], severity: Severity) -> Finding:
    example = paths[0].removeprefix(rule.folder)
    name = rule.pattern.strip("/")
    is_folder = name in example.split("/")[:-1]
    again = f"{example[: f'/{example}'.index(f'/{name}/')]}{name}/" if is_folder else example
    narrow = f"Write /{name}/ if only the one beside {rule.file} is meant, or add" if is_folder else "Add"
    tense = "ignores" if severity == "warning" else "would ignore a file such as"
    return Finding(
        rule="ignore.too-wide",
        severity=severity,
        path=rule.file,
        line=rule.line,
        message=f"The line {rule.pattern} {tense} {_some(paths)}.",
        why="A source that git ignores is on one machine only: the build works here and fails everywhere else.",
        fix=f"{narrow} this line below it: !{again}",
    )


def _describe_tracked(rule: Rule, paths: list[str]) -> Finding:
    more = f"   (and {len(paths) - 3} more)" if len(paths) > 3 else ""
    return Finding(
        rule="ignore.tracked",
        severity="warning",
        path=rule.file,
        line=rule.line,
        message=f"The line {rule.pattern} ignores {_some(paths)}, but git tracks it all the same.",
        why="Ignoring does nothing to a file that is tracked: its changes are committed as before.",
        fix=f"git rm -r --cached -- {' '.join(_quoted(path) for path in paths[:3])}{more}\n"
        f"or, if it belongs into git, add to {rule.file}: !{paths[0].removeprefix(rule.folder)}",
    )


def _some(paths: Iterable[str]) -> str:
    found = list(paths)
    return found[0] if len(found) == 1 else f"{found[0]} (and {len(found) - 1} more)"


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path
