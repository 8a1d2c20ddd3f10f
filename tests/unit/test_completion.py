"""Tab, in the shells themselves: tasks and options come from Invoke, targets and releases from what is known here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shipper.completion.install import SHELLS, choose_shell, install, place_of, remove, script_of
from shipper.completion.known import known_releases, remember_releases
from shipper.completion.values import complete_values
from shipper.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]
TOML = 'name = "shop"\ndefault_target = "production"\n[targets.production]\nhost = "a"\n[targets.staging]\nhost = "b"\n'
GOOD = ["20261121T120000Z-abcdef1", "20261120T120000Z-abcdef1", "20261119T120000Z-abcdef1"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two targets, some releases that were seen, a tasks.py, and both programs beside each other."""
    folder = tmp_path / "my project"
    (folder / "bin").mkdir(parents=True)
    (folder / "ship.toml").write_text(TOML, encoding="utf-8")
    (folder / "tasks.py").write_text("from shipper.tasks import namespace\n", encoding="utf-8")
    bad = {"id": "20261118T120000Z-abcdef1", "state": "bad"}
    good = [{"id": name, "state": "good"} for name in GOOD]
    remember_releases(folder / ".shipper", "production", GOOD[0], [*good, bad])
    remember_releases(folder / ".shipper", "staging", "", [{"id": "20261101T000000Z-1234567", "state": "good"}])
    for name, module in (("shipper", "shipper"), ("inv", "invoke")):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m {module} "$@"\n')
        program.chmod(0o755)
    return folder


VALUES = {
    "targets": (["ship", "--to", ""], ["production", "sandbox", "staging"]),
    "a target that is begun": (["ship", "--to", "st"], ["staging"]),
    "the short option": (["logs", "-t", "s"], ["sandbox", "staging"]),
    "with an equals sign": (["ship", "--to=st"], ["--to=staging"]),
    "with one that the shell cut out": (["ship", "--to", "=", "st"], ["staging"]),
    "right after one that the shell cut out": (["ship", "--to", "="], ["production", "sandbox", "staging"]),
    "releases of the default target": (["rollback", "--release", ""], GOOD[1:]),
    "a release as people type it": (["rollback", "20261119"], GOOD[2:]),
    "releases of the target that was named": (["rollback", "--to", "staging", "-r", ""], ["20261101T000000Z-1234567"]),
    "the first side of a difference": (["diff", ""], ["live", "previous", "here", *GOOD]),
    "the second side of a difference": (["diff", "previous", "20261121"], GOOD[:1]),
    "a side by its option": (["diff", "--stat", "--new", "h"], ["here"]),
    "no third side": (["diff", "previous", "live", ""], None),
    "no such release": (["rollback", "--release", "x"], []),
    "a task is none of ours": (["shi"], None),
    "nothing typed": ([""], None),
    "an option": (["ship", "--"], None),
    "a value that only its owner knows": (["lock.take", "--reason", ""], None),
    "-t of a task without targets": (["check", "-t", ""], None),
}


@pytest.mark.parametrize(("words", "wanted"), VALUES.values(), ids=VALUES.keys())
def test_a_value_is_known_from_the_words_before_it(project: Path, words: list[str], wanted: list[str] | None) -> None:
    (project / "deep").mkdir()
    assert complete_values(words, project / "deep") == wanted


@pytest.mark.parametrize("text", [None, "name = [", 'name = "shop"\ntargets = 3\n'], ids=["none", "broken", "odd"])
def test_without_a_readable_ship_toml_there_is_still_the_sandbox(tmp_path: Path, text: str | None) -> None:
    (tmp_path / ".git").mkdir()
    if text is not None:
        (tmp_path / "ship.toml").write_text(text, encoding="utf-8")
    (tmp_path / ".shipper").mkdir()
    (tmp_path / ".shipper/known-releases.json").write_text('{"sandbox": 3}', encoding="utf-8")
    assert complete_values(["ship", "--to", ""], tmp_path) == ["sandbox"]
    assert complete_values(["rollback", ""], tmp_path) == []


def test_where_nothing_can_be_written_nothing_ends_for_that(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    remember_releases(tmp_path / "file" / ".shipper", "production", GOOD[0], [{"id": GOOD[0], "state": "good"}])
    assert known_releases(tmp_path / "file" / ".shipper", "production") == []


def test_what_is_known_is_ignored_by_git(project: Path) -> None:
    assert (project / ".shipper/.gitignore").read_text(encoding="utf-8") == "*\n"


# Sources the script that was installed, types the words, presses Tab, and prints what is offered.
BASH = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"
$(complete -p "${1##*/}" >/dev/null 2>&1)
_shipper_complete "$1" "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
complete -p shipper | grep -q _shipper_complete || echo "not set up"
"""
ZSH = """
autoload -Uz compinit && compinit -D -u
. "$1"; shift
compadd() { shift; print -rl -- "${(@M)argv:#${words[CURRENT]}*}" }
_files() { print files }
words=("$@"); CURRENT=$#
_shipper_complete
[[ "$_comps[inv]" == _shipper_complete ]] || print "not set up"
"""
FISH = "source $argv[1]; complete --do-complete (string join -- ' ' (string escape -- $argv[2..-2]) $argv[-1])"


def press_tab(project: Path, shell: str, *words: str) -> list[str]:
    home = project / "home"
    home.mkdir(exist_ok=True)
    own = {"HOME": str(home), "SHELL": f"/bin/{shell}", "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "ZDOTDIR": ""}
    environment = {**os.environ, **own, "PYTHONPATH": str(REPOSITORY)}
    if not place_of(shell, home, {}).script.exists():
        command = [sys.executable, "-m", "shipper", "completion.install"]
        installed = subprocess.run(command, cwd=project, env=environment, capture_output=True)
        assert installed.returncode == 0, installed.stderr
    script = str(place_of(shell, home, {}).script)
    program = shutil.which(shell)
    assert program is not None
    argv = {
        "bash": [program, "--norc", "-c", BASH, "bash", script],
        "zsh": [program, "-f", "-c", ZSH, "zsh", script],
        "fish": [program, "--no-config", "-c", FISH, script],
    }[shell]
    done = subprocess.run([*argv, *words], cwd=project, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line.split("\t")[0] for line in done.stdout.splitlines() if line]


TABS = {
    "a target": (["--to", "st"], "ship", ["staging"]),
    "all targets": (["--to", ""], "ship", ["production", "sandbox", "staging"]),
    "a release": (["--release", "20261119"], "rollback", [GOOD[2]]),
    "an option": (["--allow"], "ship", ["--allow-dirty"]),
}


@pytest.mark.parametrize("program", ["inv", "shipper"])
@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shutil.which(shell)])
def test_tab_completes_tasks_options_targets_and_releases(project: Path, shell: str, program: str) -> None:
    typed = str(project / "bin" / program)
    for words, task, wanted in TABS.values():
        assert sorted(press_tab(project, shell, typed, task, *words)) == wanted, (words, task)
    assert press_tab(project, shell, typed, "rollb") == ["rollback"]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_installed_twice_is_there_once_and_can_be_taken_out(tmp_path: Path, shell: str) -> None:
    place = place_of(shell, tmp_path, {})
    mine = b"export EDITOR=vi\nalias caf\xe9=1\x0c2\n"
    if place.start_file:
        place.start_file.write_bytes(mine)
    assert place.script in install(place)
    assert place.script.read_text(encoding="utf-8") == script_of(shell)
    assert install(place) == []
    if place.start_file:
        assert place.start_file.read_bytes().startswith(mine)
        assert place.start_file.read_bytes().count(b"shipper: completion") == 1
    assert len(remove(place)) == (2 if place.start_file else 1)
    assert remove(place) == []
    assert place.start_file is None or place.start_file.read_bytes() == mine


def test_the_shell_is_the_users_unless_one_is_named() -> None:
    assert choose_shell("", {"SHELL": "/usr/bin/zsh"}) == "zsh"
    assert choose_shell("fish", {"SHELL": "/usr/bin/zsh"}) == "fish"
    with pytest.raises(ConfigError, match="no completion for tcsh"):
        choose_shell("", {"SHELL": "/bin/tcsh"})


def test_values_come_without_anything_that_is_slow_to_load(project: Path) -> None:
    script = (
        "import sys; sys.argv[1:] = ['--complete-values', '--', 'ship', '--to', '']\n"
        "from shipper.program import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted({'invoke', 'pydantic', 'rich', 'platformdirs', 'paramiko'} & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", script], cwd=project, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["production", "sandbox", "staging", "[]"]
