"""Which files commits bring in, from git's raw diffs: whole, without renames, filters, attributes or replace refs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shipper.check.hygiene.program import Git, failure

# What `git log -p` leaves out is in here (FACTS, "Git scanning"): `-c` shows what a merge commit itself adds, `--root`
# the first commits, and raw output knows neither "binary" nor the attribute `-diff`.
_RAW = ("-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")


class Change(NamedTuple):
    """A file as it is after a change: its path, its mode (git's six octal digits), its object.

    `commit` is the commit that made it so, "" for the index. Bytes of a path that are not UTF-8 are surrogates.
    """

    commit: str
    path: str
    mode: str
    object_id: str


def changes_of_commits(git: Git, commits: Sequence[str]) -> Iterator[Change]:
    """Yield every file that each commit adds or changes, in the order of `commits`; one process for all of them.

    Raises RepositoryError when git passes over a commit.
    """
    if not commits:
        return
    arguments = ("diff-tree", "--stdin", "--root", "-c", "--always", *_RAW)
    tokens = git.stream(*arguments, given="".join(f"{commit}\n" for commit in commits).encode())
    expected = iter(commits)
    commit = ""
    for token in tokens:
        if token.startswith(b":"):
            change = _change(commit, token, next(tokens, b""))
            if change is not None:
                yield change
            continue
        # `--always` names every commit, changed files or not: so none can be missing unseen.
        commit = token.decode()
        if commit != next(expected, None):
            raise failure(arguments, f"It was not asked for {commit}, or passed over the commit before it.")
    passed_over = next(expected, None)
    if passed_over is not None:
        raise failure(arguments, f"It passed over {passed_over}.")


def changes_of_index(git: Git, against: str) -> Iterator[Change]:
    """Yield every file whose entry in the index is another than in the commit `against`.

    What `git add --intent-to-add` noted is none: a commit would not record it.
    """
    tokens = git.stream("diff-index", "--cached", "--ita-invisible-in-index", *_RAW, against, "--")
    for token in tokens:
        change = _change("", token, next(tokens, b""))
        if change is not None:
            yield change


def files_of_tree(git: Git, tree: str, commit: str = "") -> Iterator[Change]:
    """Yield every file of a tree."""
    for token in git.stream("ls-tree", "-r", "-z", "--full-tree", tree):
        meta, _, path = token.partition(b"\t")
        mode, _, object_id = meta.split()
        yield Change(commit, decode_path(path), mode.decode(), object_id.decode())


def decode_path(raw: bytes) -> str:
    """Return git's bytes of a path as text. Git's paths are UTF-8 by agreement only; other bytes become surrogates."""
    return raw.decode("utf-8", "surrogateescape")


def _change(commit: str, meta: bytes, path: bytes) -> Change | None:
    """Read one raw entry: as many colons as parents, their modes and the new one, their objects and the new one."""
    parents = len(meta) - len(meta.lstrip(b":"))
    words = meta[parents:].split()
    mode, object_id, status = words[parents].decode(), words[2 * parents + 1].decode(), words[-1]
    # A deleted file has the mode 000000, also when only some of the parents had it.
    if mode == "000000" and b"U" not in status:
        return None
    return Change(commit, decode_path(path), mode, object_id)
