"""A command imports what it needs and nothing else: asserted by names, not by the clock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# Each costs a person who only looks around tens of milliseconds.
HEAVY = """
boto3 botocore docker fabric filelock git jinja2 paramiko platformdirs pydantic requests rich tomlkit urllib3 watchdog
shipper.agent shipper.build shipper.check shipper.config.project shipper.deliver shipper.host shipper.pipeline
shipper.watch
""".split()
OF_CONTAINERS = "boto3 botocore docker requests shipper.pipeline.containers shipper.pipeline.images".split()
LOADED = """
import sys, runpy, io, contextlib
module, sys.argv = sys.argv[1], [sys.argv[1], *sys.argv[2:]]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    runpy.run_module(module, run_name="__main__", alter_sys=True)
print(*sys.modules)
"""


def loaded(script: str, *words: str, **environment: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("shipper", "--list"), id="shipper --list"),
        pytest.param(("invoke", "--list"), id="inv --list"),
        pytest.param(("shipper", "--help"), id="shipper --help"),
        pytest.param(("shipper", "--help", "ship"), id="shipper --help ship"),
        pytest.param(("shipper", "--complete", "--", "shipper", "ship", "--"), id="a Tab after an option"),
    ],
)
def test_who_only_looks_around_waits_for_no_library(words: tuple[str, ...]) -> None:
    names = loaded(LOADED, *words)
    assert "shipper.tasks.ship" in names, "the tasks themselves were loaded"
    assert sorted(names.intersection(HEAVY)) == []


@pytest.mark.parametrize("module", ["shipper", "invoke"])
@pytest.mark.parametrize(("wish", "kept"), [("", True), ("1", False)], ids=["as usual", "not wanted"])
def test_what_python_compiles_for_a_command_is_kept_unless_nobody_wants_it(
    tmp_path: Path, module: str, wish: str, kept: bool
) -> None:
    write = {"tasks.py": "from shipper.tasks import namespace\n", "ship.toml": "name = 7\n"}
    for name, text in write.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", module, "plan"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"), "PYTHONDONTWRITEBYTECODE": wish},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert bool(list(tmp_path.glob("compiled/**/pydantic/main.*.pyc"))) == kept


def test_invokes_yaml_is_loaded_for_who_has_a_configuration_in_it(tmp_path: Path) -> None:
    of_yaml = {"invoke.vendor.yaml.loader"}
    assert not loaded(LOADED, "shipper", "--list", HOME=str(tmp_path)) & of_yaml
    (tmp_path / ".invoke.yaml").write_text("run:\n  echo: true\n", encoding="utf-8")
    assert loaded(LOADED, "shipper", "--list", HOME=str(tmp_path)) & of_yaml


@pytest.mark.parametrize("module", ["shipper.pipeline.ship", "shipper.pipeline.rollback", "shipper.tasks.job"])
def test_a_ship_of_a_site_waits_for_nothing_that_only_containers_need(module: str) -> None:
    assert sorted(loaded(f"import sys, {module}; print(*sys.modules)").intersection([*OF_CONTAINERS, "watchdog"])) == []
