"""The hooks of git: real commits and pushes, with a stand-in for shipper that writes down what reached it."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shipper.errors import ConfigError
from shipper.hooks.install import install, look, own_command, remove
from shipper.hooks.place import find_place

STAND_IN = """\
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
given = sys.stdin.buffer.read().decode() if "--push" in sys.argv else ""
with open(os.path.join(here, "calls"), "a", encoding="utf-8") as calls:
    calls.write(json.dumps({"who": "shipper", "arguments": sys.argv[1:], "given": given, "in": os.getcwd()}) + "\\n")
code = os.path.join(here, "code")
sys.exit(int(open(code).read()) if os.path.exists(code) else 0)
"""
# Writes down the same as the stand-in does, in any POSIX shell.
THEIRS = """\
given=""
case $0 in *pre-push*) given=$(cat) ;; esac
printf '{"who": "theirs", "arguments": "%s", "given": "%s"}\\n' "$*" "$given" | tr '\\n' '~' | sed 's/~$//' >> CALLS
echo >> CALLS
"""


class Repository:
    """A repository in a folder, with a home of its own, a bare remote, and the stand-in."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.folder = folder / "앱 with space"
        self.stand_in = folder / "it's 한글" / "stand_in.py"
        self.stand_in.parent.mkdir()
        self.stand_in.write_text(STAND_IN, encoding="utf-8")
        self.remote = folder / "remote.git"
        self.git("init", "-q", "--bare", str(self.remote), at=folder)
        self.git("init", "-q", "-b", "main", str(self.folder), at=folder)
        self.git("remote", "add", "origin", str(self.remote))

    @property
    def command(self) -> tuple[str, ...]:
        return (Path(sys.executable).as_posix(), self.stand_in.as_posix())

    @property
    def hooks(self) -> Path:
        return self.folder / ".git" / "hooks"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        who = {f"GIT_{role}_{key}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
        return {**kept, **who, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"}

    def run(self, *argv: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=at or self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )

    def git(self, *arguments: str, at: Path | None = None) -> str:
        done = self.run("git", *arguments, at=at)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        return self.run("git", "commit", "--allow-empty", "-m", "x", at=at)

    def push(self, *what: str) -> subprocess.CompletedProcess[str]:
        return self.run("git", "push", "origin", *(what or ("main",)))

    def answer(self, code: int) -> None:
        (self.stand_in.parent / "code").write_text(str(code))

    def calls(self) -> list[dict[str, Any]]:
        """What ran since the last time, in order."""
        file = self.stand_in.parent / "calls"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [json.loads(line.replace("~", "\\n")) for line in lines]

    def theirs(self, path: Path, shebang: str = "#!/bin/sh\n", end: str = "", mode: int = 0o755) -> bytes:
        """Somebody else's hook, which writes down what reached it and ends with `end`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        calls = shlex.quote((self.stand_in.parent / "calls").as_posix())
        path.write_text(shebang + THEIRS.replace("CALLS", calls) + end, encoding="utf-8", newline="\n")
        path.chmod(mode)
        return path.read_bytes()

    def install(self, at: Path | None = None) -> list[str]:
        return [change.text for change in install(find_place(at or self.folder), self.command)]

    def states(self, at: Path | None = None) -> list[str]:
        return [status.state for status in look(find_place(at or self.folder))]

    def files(self, folder: Path) -> dict[str, tuple[bytes, int]]:
        """Every file below a folder with its content and mode."""
        return {
            path.relative_to(folder).as_posix(): (path.read_bytes(), path.lstat().st_mode)
            for path in sorted(folder.rglob("*"))
            if path.is_file() or path.is_symlink()
        }


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    made = Repository(tmp_path)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(made.home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return made


def who(calls: list[dict[str, Any]]) -> list[str]:
    return [call["who"] for call in calls]


# --- a repository without hooks ---


def test_a_commit_asks_shipper_about_what_is_staged_from_the_top_of_the_worktree(repository: Repository) -> None:
    assert repository.install() == ["installed", "installed"]
    below = repository.folder / "below"
    below.mkdir()
    assert repository.commit(at=below).returncode == 0
    (call,) = repository.calls()
    assert call["arguments"] == ["check", "--staged"]
    assert Path(call["in"]) == repository.folder.resolve()


def test_a_push_gives_shipper_the_remote_and_every_line_of_git(repository: Repository) -> None:
    repository.install()
    repository.commit()
    repository.git("tag", "v1")
    repository.calls()
    assert repository.push("main", "v1").returncode == 0
    (call,) = repository.calls()
    head = repository.git("rev-parse", "HEAD").strip()
    assert call["arguments"] == ["check", "--push", "origin", str(repository.remote)]
    zeros = "0" * 40
    assert call["given"].splitlines() == [
        f"refs/heads/main {head} refs/heads/main {zeros}",
        f"refs/tags/v1 {head} refs/tags/v1 {zeros}",
    ]
    assert call["given"].endswith("\n")


def test_a_push_of_nothing_gives_shipper_nothing(repository: Repository) -> None:
    repository.install()
    repository.commit()
    repository.push()
    repository.calls()
    assert repository.push().returncode == 0
    (call,) = repository.calls()
    assert call["given"] == ""


@pytest.mark.parametrize("code", [1, 2, 3, 99])
def test_whatever_is_not_a_clean_answer_stops_the_commit_and_the_push(repository: Repository, code: int) -> None:
    assert repository.commit().returncode == 0
    repository.install()
    repository.answer(code)
    before = repository.git("rev-parse", "HEAD")
    committed, pushed = repository.commit(), repository.push()
    assert committed.returncode != 0
    assert pushed.returncode != 0
    assert repository.git("rev-parse", "HEAD") == before
    assert repository.git("ls-remote", "origin") == ""
    # Findings speak for themselves; anything else is explained.
    assert ("--no-verify" in committed.stderr) == (code != 3)
    assert ("inv hooks.install" in pushed.stderr) == (code != 3)


def test_a_python_that_is_gone_stops_git_and_says_what_to_type(repository: Repository) -> None:
    install(find_place(repository.folder), ("/nowhere/가상 환경/bin/python", "-m", "shipper"))
    committed, pushed = repository.commit(), repository.push()
    assert committed.returncode == 1
    assert "/nowhere/가상 환경/bin/python is gone" in committed.stderr
    assert "inv hooks.install" in committed.stderr
    assert "git commit --no-verify" in committed.stderr
    assert pushed.returncode != 0
    assert repository.run("git", "commit", "--allow-empty", "-m", "x", "--no-verify").returncode == 0
    assert repository.states() == ["its Python is gone"] * 2


def test_a_python_without_shipper_stops_git(repository: Repository) -> None:
    install(find_place(repository.folder), (sys.executable, "-I", "-m", "no_such_module_as_shipper"))
    done = repository.commit()
    assert done.returncode != 0
    assert "No module named" in done.stderr
    assert "inv hooks.install" in done.stderr


def test_a_folder_called_shipper_in_the_repository_is_not_taken_for_shipper(repository: Repository) -> None:
    (repository.folder / "shipper").mkdir()
    (repository.folder / "shipper" / "__main__.py").write_text("raise SystemExit(0)")
    install(find_place(repository.folder))
    assert "-P" in own_command()
    done = subprocess.run([*own_command(), "--version"], cwd=repository.folder, capture_output=True, text=True)
    assert done.stdout.startswith("shipper ")


def test_installing_twice_is_installing_once(repository: Repository) -> None:
    repository.install()
    once = repository.files(repository.folder / ".git")
    assert repository.install() == ["installed already"] * 2
    assert repository.files(repository.folder / ".git") == once
    assert repository.states() == ["installed"] * 2


def test_removing_leaves_nothing_behind(repository: Repository) -> None:
    before = repository.files(repository.folder / ".git")
    assert repository.states() == ["not installed"] * 2
    repository.install()
    remove(find_place(repository.folder))
    assert repository.files(repository.folder / ".git") == before
    assert remove(find_place(repository.folder)) == ()


def test_hooks_have_lf_line_ends_and_are_executable(repository: Repository) -> None:
    repository.git("config", "core.autocrlf", "true")
    repository.install()
    for name in ("pre-commit", "pre-push"):
        content = (repository.hooks / name).read_bytes()
        assert content.startswith(b"#!/bin/sh\n")
        assert b"\r" not in content
        assert os.access(repository.hooks / name, os.X_OK)


def test_another_python_brings_the_hooks_up_to_date(repository: Repository) -> None:
    install(find_place(repository.folder), ("/nowhere/python",))
    assert repository.install() == ["brought up to date"] * 2
    assert repository.states() == ["installed"] * 2
    assert repository.commit().returncode == 0


def test_a_hook_that_somebody_edited_or_made_unexecutable_is_outdated(repository: Repository) -> None:
    repository.install()
    hook = repository.hooks / "pre-commit"
    hook.write_bytes(hook.read_bytes().replace(b"check --staged", b"check --tree"))
    (repository.hooks / "pre-push").chmod(0o644)
    assert repository.states() == ["outdated"] * 2
    repository.install()
    assert repository.states() == ["installed"] * 2


# --- hooks that are there already ---


def test_an_existing_hook_runs_first_with_the_same_arguments_and_the_same_input(repository: Repository) -> None:
    for name in ("pre-commit", "pre-push"):
        repository.theirs(repository.hooks / name, shebang="#!/bin/sh\n# ends by itself\n", end="exit 0\n")
        body = (repository.hooks / name).read_text(encoding="utf-8").replace("case $0 in *pre-push*)", "case $# in 2)")
        (repository.hooks / name).write_text(body, encoding="utf-8")
    assert all("runs first" in text for text in repository.install())
    assert repository.commit().returncode == 0
    assert who(repository.calls()) == ["theirs", "shipper"]
    assert repository.push().returncode == 0
    theirs, ours = repository.calls()
    assert (theirs["who"], ours["who"]) == ("theirs", "shipper")
    assert ours["arguments"] == ["check", "--push", *theirs["arguments"].split(" ", 1)]
    assert ours["given"].startswith("refs/heads/main ")
    assert theirs["given"] == ours["given"].rstrip("\n")


def test_an_existing_hook_that_fails_stops_git_with_its_own_code_before_shipper_is_asked(
    repository: Repository,
) -> None:
    (repository.hooks / "pre-commit").write_text("#!/bin/sh\nexit 7\n")
    (repository.hooks / "pre-commit").chmod(0o755)
    repository.install()
    assert repository.commit().returncode != 0
    assert repository.calls() == []


def test_an_existing_hook_comes_back_to_the_byte_and_with_its_mode(repository: Repository) -> None:
    hook = repository.hooks / "pre-commit"
    hook.write_bytes(b"#!/usr/bin/env python3\r\nraise SystemExit(0)  # \xff no newline")
    hook.chmod(0o750)
    before = repository.files(repository.folder / ".git")
    repository.install()
    kept = repository.hooks / "pre-commit.before-shipper"
    assert kept.stat().st_mode & 0o777 == 0o750
    assert repository.states()[0] == "installed"
    repository.install()
    remove(find_place(repository.folder))
    assert repository.files(repository.folder / ".git") == before


def test_a_hook_of_another_language_gets_what_git_says(repository: Repository) -> None:
    script = (
        f"#!{sys.executable}\nimport sys\n"
        f"open({str(repository.stand_in.parent / 'raw')!r}, 'wb').write(sys.stdin.buffer.read())\n"
    )
    hook = repository.hooks / "pre-push"
    hook.write_text(script, encoding="utf-8")
    hook.chmod(0o755)
    repository.install()
    repository.commit()
    repository.calls()
    assert repository.push().returncode == 0
    (call,) = repository.calls()
    assert (repository.stand_in.parent / "raw").read_text() == call["given"]


def test_more_refs_than_a_pipe_holds_reach_both_hooks(repository: Repository) -> None:
    hook = repository.hooks / "pre-push"
    hook.write_text("#!/bin/sh\nexit 0\n")
    hook.chmod(0o755)
    repository.install()
    repository.commit()
    head = repository.git("rev-parse", "HEAD").strip()
    names = [f"refs/tags/a-rather-long-name-of-a-release-{number}" for number in range(700)]
    lines = "".join(f"create {name} {head}\n" for name in names)
    subprocess.run(["git", "update-ref", "--stdin"], cwd=repository.folder, input=lines, text=True, check=True)
    repository.calls()
    assert repository.push("--tags").returncode == 0
    (call,) = repository.calls()
    assert len(call["given"]) > 100_000
    assert len(call["given"].splitlines()) == 700


def test_a_linked_hook_stays_a_link_and_its_file_is_not_touched(repository: Repository) -> None:
    script = repository.folder / "scripts" / "pre-commit"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\nexit 5\n")
    script.chmod(0o755)
    hook = repository.hooks / "pre-commit"
    hook.symlink_to("../../scripts/pre-commit")
    repository.install()
    assert script.read_text() == "#!/bin/sh\nexit 5\n"
    assert repository.commit().returncode != 0
    assert repository.calls() == []
    remove(find_place(repository.folder))
    assert os.readlink(hook) == "../../scripts/pre-commit"


def test_a_hook_that_git_passes_over_is_kept_and_stays_passed_over(repository: Repository) -> None:
    repository.theirs(repository.hooks / "pre-commit", mode=0o644)
    repository.install()
    assert repository.commit().returncode == 0
    assert who(repository.calls()) == ["shipper"]
    remove(find_place(repository.folder))
    assert (repository.hooks / "pre-commit").stat().st_mode & 0o111 == 0


def test_a_script_that_asks_for_its_own_name_keeps_it(repository: Repository) -> None:
    """husky 4 and dispatchers choose what to do by `basename "$0"`."""
    before = {name: repository.theirs(repository.hooks / name) for name in ("pre-commit", "pre-push")}
    assert all("block within" in text for text in repository.install())
    assert repository.commit().returncode == 0
    assert who(repository.calls()) == ["shipper", "theirs"]
    assert repository.push().returncode == 0
    ours, theirs = repository.calls()
    assert theirs["given"] == ours["given"].rstrip("\n")
    assert theirs["given"].startswith("refs/heads/main ")
    assert theirs["arguments"] == f"origin {repository.remote}"
    assert repository.push().returncode == 0
    assert [call["given"] for call in repository.calls()] == ["", ""]
    assert repository.states() == ["installed"] * 2
    remove(find_place(repository.folder))
    assert {name: (repository.hooks / name).read_bytes() for name in before} == before


def test_a_program_that_asks_for_its_own_name_is_refused_and_nothing_is_changed(repository: Repository) -> None:
    hook = repository.hooks / "pre-push"
    hook.write_text("#!/usr/bin/env ruby\nhook = File.basename($0)\n")
    hook.chmod(0o755)
    before = repository.files(repository.folder)
    with pytest.raises(ConfigError, match="name it is called by") as caught:
        repository.install()
    assert "shipper check --push" in caught.value.fix
    assert repository.files(repository.folder) == before


def test_a_hook_that_replaced_ours_is_not_thrown_away(repository: Repository) -> None:
    repository.theirs(repository.hooks / "pre-commit", end="# $1 first\n")
    (repository.hooks / "pre-commit").write_text("#!/bin/sh\n# the first\n")
    repository.install()
    (repository.hooks / "pre-commit").write_text("#!/bin/sh\n# another tool's\n")
    assert repository.states()[0] == "somebody else's"
    with pytest.raises(ConfigError, match="kept before"):
        repository.install()
    (repository.hooks / "pre-commit").write_text("#!/bin/sh\n# the first\n")
    repository.install()
    assert repository.states()[0] == "installed"


def test_lines_added_to_our_file_are_not_deleted(repository: Repository) -> None:
    repository.install()
    hook = repository.hooks / "pre-commit"
    hook.write_bytes(hook.read_bytes() + b"echo more\n")
    repository.install()
    remove(find_place(repository.folder))
    assert hook.read_text() == "#!/bin/sh\necho more\n"
    hook.write_text("#!/bin/sh\n# theirs\n")
    repository.install()
    hook.write_bytes(hook.read_bytes() + b"echo more\n")
    with pytest.raises(ConfigError, match="did not write"):
        remove(find_place(repository.folder))
    assert hook.read_bytes().endswith(b"echo more\n")


def test_a_deleted_hook_of_ours_comes_back_together_with_the_kept_one(repository: Repository) -> None:
    hook = repository.hooks / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 5\n")
    hook.chmod(0o755)
    repository.install()
    hook.unlink()
    repository.install()
    assert repository.commit().returncode != 0
    assert repository.calls() == []


# --- other tools; the texts are those that the tools write ---

FRAMEWORK = """\
#!/usr/bin/env bash
# File generated by pre-commit: https://pre-commit.com
HERE="$(cd "$(dirname "$0")" && pwd)"
if [ -n "$PRE_COMMIT_RUNNING_LEGACY" ]; then echo "bug: started by itself" >&2; exit 1; fi
echo '{"who": "framework"}' >> CALLS
if [ -x "$HERE/pre-commit.legacy" ]; then PRE_COMMIT_RUNNING_LEGACY=1 "$HERE/pre-commit.legacy" "$@" || exit 1; fi
"""


def framework(repository: Repository) -> bytes:
    """What `pre-commit install` does: a hook that is there and not its own becomes `.legacy`, and is run first."""
    calls = shlex.quote((repository.stand_in.parent / "calls").as_posix())
    content = FRAMEWORK.replace("CALLS", calls).encode()
    hook = repository.hooks / "pre-commit"
    if hook.exists() and hook.read_bytes() != content:
        hook.replace(repository.hooks / "pre-commit.legacy")
    hook.write_bytes(content)
    hook.chmod(0o755)
    return content


def test_the_pre_commit_framework_runs_first_when_it_was_there_first(repository: Repository) -> None:
    content = framework(repository)
    repository.install()
    assert repository.commit().returncode == 0
    assert who(repository.calls()) == ["framework", "shipper"]
    remove(find_place(repository.folder))
    assert (repository.hooks / "pre-commit").read_bytes() == content


def test_the_pre_commit_framework_calls_ours_when_it_comes_later(repository: Repository) -> None:
    repository.install()
    content = framework(repository)
    assert repository.states() == ["installed"] * 2
    assert repository.install() == ["installed already"] * 2
    assert repository.commit().returncode == 0
    assert who(repository.calls()) == ["framework", "shipper"]
    remove(find_place(repository.folder))
    assert (repository.hooks / "pre-commit").read_bytes() == content
    assert not (repository.hooks / "pre-commit.legacy").exists()


def test_the_pre_commit_framework_installed_before_and_after_does_not_run_in_a_circle(repository: Repository) -> None:
    framework(repository)
    repository.install()
    content = framework(repository)
    assert repository.commit().returncode == 0
    assert who(repository.calls()) == ["framework", "shipper"]
    remove(find_place(repository.folder))
    hooks = {name for name in repository.files(repository.hooks) if not name.endswith(".sample")}
    assert hooks == {"pre-commit"}
    assert (repository.hooks / "pre-commit").read_bytes() == content


HUSKY_9 = """\
#!/usr/bin/env sh
n=$(basename "$0")
s=$(dirname "$(dirname "$0")")/$n
[ ! -f "$s" ] && exit 0
sh -e "$s" "$@"
exit $?
"""
HUSKY_8 = """\
if [ -z "$husky_skip_init" ]; then
  readonly husky_skip_init=1
  export husky_skip_init
  sh -e "$0" "$@"
  exit $?
fi
"""


def husky(repository: Repository, version: int) -> Path:
    """What husky makes: version 9 keeps generated hooks apart, 5 to 8 do not."""
    generated = repository.folder / ".husky" / "_"
    generated.mkdir(parents=True)
    (generated / ".gitignore").write_text("*")
    (generated / ("h" if version == 9 else "husky.sh")).write_text(HUSKY_9 if version == 9 else HUSKY_8)
    for name in ("pre-commit", "pre-push") if version == 9 else ():
        (generated / name).write_text('#!/usr/bin/env sh\n. "$(dirname "$0")/h"')
        (generated / name).chmod(0o755)
    repository.git("config", "core.hooksPath", ".husky/_" if version == 9 else ".husky")
    return repository.folder / ".husky"


@pytest.mark.parametrize("version", [8, 9])
def test_husky_files_get_a_block_that_is_the_same_for_all_developers(repository: Repository, version: int) -> None:
    folder = husky(repository, version)
    start = '#!/usr/bin/env sh\n. "$(dirname -- "$0")/_/husky.sh"\n\n' if version == 8 else ""
    before = repository.theirs(folder / "pre-push", shebang=start, mode=0o755 if version == 8 else 0o644)
    repository.install()
    assert repository.states() == ["installed"] * 2
    for name in ("pre-commit", "pre-push"):
        text = (folder / name).read_text(encoding="utf-8")
        assert str(repository.stand_in.parent) not in text
        assert sys.executable not in text
    assert repository.commit().returncode == 0
    assert who(repository.calls()) == ["shipper"]
    assert repository.push().returncode == 0
    ours, theirs = repository.calls()
    assert (ours["who"], theirs["who"]) == ("shipper", "theirs")
    assert ours["given"].rstrip("\n") == theirs["given"]
    repository.answer(3)
    assert repository.commit().returncode != 0
    remove(find_place(repository.folder))
    assert (folder / "pre-push").read_bytes() == before
    assert not (folder / "pre-commit").exists()
    assert not (repository.folder / ".git" / "shipper").exists()


def test_a_clone_that_has_not_installed_yet_is_stopped_and_told(repository: Repository, tmp_path: Path) -> None:
    husky(repository, 9)
    repository.install()
    repository.git("add", ".")
    assert repository.commit().returncode == 0
    clone = tmp_path / "clone"
    repository.git("clone", "-q", str(repository.folder), str(clone), at=tmp_path)
    generated = clone / ".husky" / "_"
    generated.mkdir()
    for path in (repository.folder / ".husky" / "_").iterdir():
        (generated / path.name).write_bytes(path.read_bytes())
        (generated / path.name).chmod(0o755)
    repository.git("config", "core.hooksPath", ".husky/_", at=clone)
    assert repository.states(clone) == ["not installed"] * 2
    done = repository.commit(at=clone)
    assert done.returncode != 0
    assert "inv hooks.install" in done.stderr
    repository.calls()
    repository.install(clone)
    assert repository.git("status", "--porcelain", at=clone) == ""
    assert repository.commit(at=clone).returncode == 0
    assert who(repository.calls()) == ["shipper"]


# --- where hooks live ---


def test_a_linked_worktree_has_the_hooks_of_the_main_one(repository: Repository, tmp_path: Path) -> None:
    repository.commit()
    linked = tmp_path / "연결된 worktree"
    repository.git("worktree", "add", "-q", "-b", "side", str(linked))
    repository.install(linked)
    assert (repository.hooks / "pre-commit").is_file()
    assert repository.commit(at=linked).returncode == 0
    (call,) = repository.calls()
    assert Path(call["in"]) == linked.resolve()
    assert repository.states() == repository.states(linked) == ["installed"] * 2


def test_a_submodule_has_hooks_of_its_own(repository: Repository, tmp_path: Path) -> None:
    inner = Repository(tmp_path / "inner")
    inner.commit()
    allowed = ("-c", "protocol.file.allow=always")
    repository.git(*allowed, "submodule", "add", "-q", str(inner.folder), "library")
    repository.install(repository.folder / "library")
    assert repository.commit(at=repository.folder / "library").returncode == 0
    assert who(repository.calls()) == ["shipper"]
    assert repository.states() == ["not installed"] * 2


def test_a_hooks_path_of_the_repository_is_respected_from_any_folder(repository: Repository) -> None:
    repository.git("config", "core.hooksPath", "tools/git hooks")
    below = repository.folder / "below"
    below.mkdir()
    repository.install(below)
    assert (repository.folder / "tools" / "git hooks" / "pre-commit").is_file()
    assert repository.commit(at=below).returncode == 0
    assert who(repository.calls()) == ["shipper"]


def test_a_hooks_path_of_the_user_is_refused_with_the_way_out(repository: Repository) -> None:
    everybody = repository.home / "hooks"
    everybody.mkdir()
    repository.git("config", "--global", "core.hooksPath", str(everybody))
    with pytest.raises(ConfigError, match="not this repository's alone") as caught:
        repository.install()
    assert ".gitconfig" in caught.value.why
    assert list(everybody.iterdir()) == []
    assert repository.states() == ["not installed"] * 2
    way_out = shlex.split(caught.value.fix.splitlines()[0])
    repository.git(*way_out[1:])
    repository.install()
    assert repository.commit().returncode == 0
    assert who(repository.calls()) == ["shipper"]


def test_a_hooks_path_of_the_user_that_is_another_folder_in_each_repository_is_fine(repository: Repository) -> None:
    repository.git("config", "--global", "core.hooksPath", ".githooks")
    repository.install()
    assert repository.commit().returncode == 0
    assert who(repository.calls()) == ["shipper"]


def test_a_hooks_path_outside_of_the_repository_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.git("config", "core.hooksPath", str(tmp_path / "company"))
    with pytest.raises(ConfigError, match="not this repository's alone"):
        repository.install()
    assert not (tmp_path / "company").exists()


def test_hooks_that_a_later_hooks_path_put_out_of_use_are_removed_too(repository: Repository) -> None:
    repository.install()
    repository.git("config", "core.hooksPath", ".githooks")
    assert repository.states() == ["not installed"] * 2
    remove(find_place(repository.folder))
    assert not (repository.hooks / "pre-commit").exists()


def test_hooks_of_a_template_folder_are_kept_like_others(repository: Repository, tmp_path: Path) -> None:
    template = tmp_path / "template"
    repository.theirs(template / "hooks" / "pre-commit", shebang="#!/bin/sh\n")
    folder = tmp_path / "from template"
    repository.git("init", "-q", "--template", str(template), str(folder), at=tmp_path)
    repository.install(folder)
    assert repository.commit(at=folder).returncode == 0
    assert sorted(who(repository.calls())) == ["shipper", "theirs"]


@pytest.mark.parametrize("where", ["bare", "git folder", "nowhere"])
def test_a_folder_without_a_worktree_is_refused(repository: Repository, tmp_path: Path, where: str) -> None:
    folder = {"bare": repository.remote, "git folder": repository.folder / ".git", "nowhere": tmp_path}[where]
    with pytest.raises(ConfigError) as caught:
        find_place(folder)
    assert caught.value.fix


def test_being_called_from_within_a_hook_does_not_lead_to_another_repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(repository.remote))
    assert find_place(repository.folder).folder == repository.hooks.resolve()


# --- as people type it ---


def test_the_tasks_install_show_and_remove_the_hooks_from_any_folder(repository: Repository) -> None:
    below = repository.folder / "below"
    below.mkdir()

    def shipper(task: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*own_command(), task], cwd=below, capture_output=True, text=True)

    assert "not installed" in shipper("hooks.status").stdout
    assert shipper("hooks.install").returncode == 0
    shown = shipper("hooks.status").stdout
    assert shown.count("installed") == 2
    assert str(repository.hooks.resolve() / "pre-push") in shown
    assert shipper("hooks.remove").returncode == 0
    assert not (repository.hooks / "pre-push").exists()
    assert shipper("hooks.remove").returncode == 0
    assert subprocess.run([*own_command(), "hooks.install"], cwd=repository.remote, capture_output=True).returncode == 2


# --- the pre-commit framework's own configuration ---


def framework_push(repository: Repository, **variables: str) -> dict[str, Any]:
    """Run the framework's push hook with its variables, and return the one call of the stand-in."""
    script = (
        "import os\nfrom shipper.hooks.framework import check_push\n"
        f"raise SystemExit(check_push(os.environ, {repository.command!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=repository.folder,
        env={**repository.environment, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (call,) = repository.calls()
    return call


def test_the_framework_push_is_told_as_git_tells_it(repository: Repository) -> None:
    repository.commit()
    repository.commit()
    old, new = (repository.git("rev-parse", name).strip() for name in ("HEAD^", "HEAD"))
    call = framework_push(
        repository,
        PRE_COMMIT_FROM_REF=old,
        PRE_COMMIT_TO_REF=new,
        PRE_COMMIT_LOCAL_BRANCH="refs/heads/main",
        PRE_COMMIT_REMOTE_BRANCH="refs/heads/live",
        PRE_COMMIT_REMOTE_NAME="upstream",
        PRE_COMMIT_REMOTE_URL="https://example.com/x.git",
    )
    assert call["arguments"] == ["check", "--push", "upstream", "https://example.com/x.git"]
    assert call["given"] == f"refs/heads/main {new} refs/heads/live {old}\n"


def test_a_first_push_by_the_framework_which_names_no_commits_is_a_push_of_everything(repository: Repository) -> None:
    repository.commit()
    head = repository.git("rev-parse", "HEAD").strip()
    call = framework_push(
        repository, PRE_COMMIT_LOCAL_BRANCH="refs/heads/main", PRE_COMMIT_REMOTE_BRANCH="refs/heads/main"
    )
    assert call["given"] == f"refs/heads/main {head} refs/heads/main {'0' * 40}\n"


def test_the_framework_push_hook_run_by_hand_looks_at_the_tree(repository: Repository) -> None:
    assert framework_push(repository)["arguments"] == ["check", "--tree"]


def test_the_framework_finds_both_hooks_and_what_they_run_exists() -> None:
    text = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entries = [line.split(":", 1)[1].split() for line in text.splitlines() if line.startswith("  entry:")]
    assert [line.split()[2] for line in text.splitlines() if line.startswith("- id:")] == [
        "shipper-check",
        "shipper-check-push",
    ]
    assert entries[0] == ["shipper", "check", "--staged"]
    assert entries[1][:3] == ["python", "-P", "-m"]
    assert importlib.util.find_spec(entries[1][3]) is not None
    assert text.count("pass_filenames: false") == text.count("always_run: true") == 2
