"""Where this shipper was installed from: the repository on GitHub and the commit, for what has to name them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from shipper import __version__
from shipper.errors import ConfigError
from shipper.git import ask_git

# https://github.com/o/n.git, git@github.com:o/n, ssh://git@github.com/o/n
_ON_GITHUB = re.compile(r"(?:^|[/@.])github\.com[/:](?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?$")
_NAMED = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})")


@dataclass(frozen=True)
class Origin:
    """A repository on GitHub as "owner/name", and a commit of it as 40 hex digits."""

    repository: str
    commit: str


def parse_origin(text: str) -> Origin:
    """Read "owner/name@commit". Raises ConfigError; a branch or a tag is refused, because somebody can move it."""
    found = _NAMED.fullmatch(text.strip())
    if not found:
        raise ConfigError(
            f"'{text}' does not name a commit on GitHub.",
            why="Expected owner/name@commit, with all 40 digits of the commit: branches and tags can be moved.",
            fix="inv init --github --source <owner>/shipper@<commit>",
        )
    return Origin(found["repository"], found["commit"])


def find_origin() -> Origin:
    """Return where this shipper comes from, as pip noted it (PEP 610). Raises ConfigError when that is not known."""
    noted = _noted()
    url, vcs = str(noted.get("url", "")), noted.get("vcs_info")
    if isinstance(vcs, dict):
        return _origin(url, str(vcs.get("commit_id", "")))
    if urlsplit(url).scheme == "file":
        clone = Path(url2pathname(urlsplit(url).path))
        return origin_of_clone(clone)
    raise _unknown(f"It was installed as version {__version__}, and not from a repository.")


def origin_of_clone(clone: Path) -> Origin:
    """Return what a clone of shipper is of. Raises ConfigError when its commit is not on GitHub."""
    ask_git(clone, "--version")  # without git, what follows could not even be imported
    from git import GitError, InvalidGitRepositoryError, Repo

    try:
        with Repo(clone, search_parent_directories=True) as repository:
            url, commit = repository.remote("origin").url, repository.head.commit.hexsha
            known = str(repository.git.for_each_ref("refs/remotes/origin", contains=commit, count=1))
    except InvalidGitRepositoryError:
        raise _unknown(f"It was installed from {clone}, which is in no git repository.") from None
    except (GitError, ValueError) as error:
        raise _unknown(f"It was installed from {clone}. {error}".strip()) from None
    if not known.strip():
        raise _unknown(f"It was installed from {clone}, whose commit {commit[:12]} was never pushed.")
    return _origin(url, commit)


def _noted() -> dict[str, object]:
    try:
        text = distribution("shipper").read_text("direct_url.json")
    except PackageNotFoundError:
        text = None
    noted = json.loads(text) if text else {}
    return noted if isinstance(noted, dict) else {}


def _origin(url: str, commit: str) -> Origin:
    found = _ON_GITHUB.search(url)
    if not found:
        raise _unknown(f"It comes from {_without_login(url) or 'nowhere'}, which is not on GitHub.")
    return parse_origin(f"{found['owner']}/{found['name']}@{commit}")


def _without_login(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)


def _unknown(why: str) -> ConfigError:
    return ConfigError(
        "It is not known from which repository on GitHub this shipper comes.",
        why=f"{why}\nThe workflow has to name it: it calls the one that ships.",
        fix="inv init --github --source <owner>/shipper@<commit>",
    )
