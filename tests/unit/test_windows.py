"""The local half on a Windows that is put together here: Python without its POSIX half, and no programs but git.

`windows_like.py` makes that world for shipper's modules. The workflow on GitHub runs the tests of the local half on a
real Windows; this is what everybody else has in front of them before they push.
"""

from __future__ import annotations

import json
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import windows_like

import shipper

UNIT = Path(__file__).parent
ROOT = UNIT.parents[1]
# Starting the module that ends the process is what `python -m shipper` does; everything else only has to be importable.
PROGRAM = "shipper.__main__"
# Tests of modules that meet files, paths, text and git; those that build with npm need `sh`, which npm itself calls.
SUBSET = [
    "test_allow.py",
    "test_backend_build.py",
    "test_config_edit.py",
    "test_config_lines.py",
    "test_config_load.py",
    "test_cors.py",
    "test_env_generate.py",
    "test_envfile.py",
    "test_frontend_sources.py",
    "test_github_files.py",
    "test_handed.py",
    "test_hygiene_names.py",
    "test_ignores.py",
    "test_layers.py",
    "test_plan.py",
    "test_releases.py",
    "test_report_ships.py",
    "test_web_settings.py",
    "test_windows_files.py",
]
# `git submodule` itself is a shell script, and Git for Windows brings the shell along; uv.lock takes uv seven seconds.
LEFT_OUT = "not submodule and not lock_file"
# Those that try hundreds of texts are about texts, which are alike everywhere.
WITHOUT_EXAMPLES = "not hypothesis"
IMPORT_ALL = """
import windows_like, importlib, json, sys

windows_like.enter()
failed = {}
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = f"{type(error).__name__}: {error}"
print(json.dumps(failed))
"""
FORGETFUL = {
    "module": "import fcntl\n",
    "attribute": "import os\n\nos.getuid()\n",
    "name": "from os import O_NOFOLLOW\n",
    "signal": "import signal\n\nsignal.SIGKILL\n",
    "platform": "import sys\n\nassert sys.platform != 'win32'\n",
    "encoding": "from pathlib import Path\n\nPath(__file__).read_text()\n",
}


@pytest.fixture(scope="session")
def windows_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose PATH has git and nothing else."""
    programs = tmp_path_factory.mktemp("programs")
    git = shutil.which("git")
    assert git is not None
    (programs / "git").symlink_to(git)
    path = os.pathsep.join([str(ROOT), str(UNIT)])
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**inherited, "PATH": str(programs), "PYTHONPATH": path}
    for program in ("ssh", "rsync", "tar", "sh", "bash", "grep", "find"):
        assert shutil.which(program, path=environment["PATH"]) is None
    return environment


def run(environment: dict[str, str], *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False
    )


def local_modules() -> list[str]:
    names = [module.name for module in pkgutil.walk_packages(shipper.__path__, "shipper.")]
    return [name for name in names if windows_like.is_local_half(name) and name != PROGRAM]


def test_every_module_of_the_local_half_can_be_imported(windows_environment: dict[str, str]) -> None:
    names = local_modules()
    assert len(names) > 100
    answer = run(windows_environment, "-c", IMPORT_ALL, json.dumps(names))
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == {}


@pytest.mark.parametrize("source", FORGETFUL.values(), ids=FORGETFUL.keys())
def test_a_module_that_forgets_windows_is_caught(
    tmp_path: Path, source: str, windows_environment: dict[str, str]
) -> None:
    package = tmp_path / "shipper"
    package.mkdir()
    (package / "__init__.py").write_bytes(b"")
    (package / "forgetful.py").write_text(source, encoding="utf-8")
    environment = {**windows_environment, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(UNIT)])}
    answer = run(environment, "-c", IMPORT_ALL, '["shipper.forgetful"]', cwd=tmp_path)
    assert list(json.loads(answer.stdout)) == ["shipper.forgetful"]


def test_unit_tests_of_the_local_half_pass(windows_environment: dict[str, str]) -> None:
    files = [str(UNIT / name) for name in SUBSET]
    answer = run(
        windows_environment, "-m", "pytest", "-q", "-p", "windows_like", "-p", "no:cacheprovider", "--no-header",
        "-k", LEFT_OUT, "-m", WITHOUT_EXAMPLES, *files,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout[-6000:]


@pytest.mark.parametrize("encoding", ["cp949", "cp1252"])
@pytest.mark.parametrize("words", [["check"], ["check", "--github"], ["check", "--json"]], ids=" ".join)
def test_output_in_an_encoding_of_windows_never_ends_a_command(
    tmp_path: Path, words: list[str], encoding: str, windows_environment: dict[str, str]
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "é—한글✓.pem").write_text("-----BEGIN " + "PRIVATE KEY-----\n", encoding="utf-8")
    environment = {**windows_environment, "PYTHONIOENCODING": f"{encoding}:strict"}
    answer = subprocess.run(
        [sys.executable, "-m", "shipper", *words], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert answer.returncode == 3, answer.stderr
    assert b"name.private-key" in answer.stdout
