"""What `render_env` writes, read by the real systemd: the practice server's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from shipper.config.envfile import EnvFile, render_env

Exec = Callable[[Sequence[str]], tuple[int, str]]

# Write the file, start a unit with it, and print as JSON what a process of the unit has for environment.
READ_BACK = """
import os, subprocess, sys, tempfile

with tempfile.TemporaryDirectory(dir="/run") as folder:
    path = os.path.join(folder, "env")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(sys.argv[1])
    unit = ["systemd-run", "--wait", "--pipe", "--quiet", "--property", "EnvironmentFile=" + path]
    dump = "import json, os; print(json.dumps({k.decode(): v.decode() for k, v in os.environb.items()}))"
    sys.exit(subprocess.run(unit + ["python3", "-c", dump]).returncode)
"""

VALUES = [
    *("", " ", " both ends ", "\ttab\t", "a b", "a=b", "#a", "a #b", ";a", "%h %% %n", "{}[]()<>|&*?~!"),
    *('"', "'", "`", "$", "\\", "\\\\", "a\\", '\\"', "\\n", "\\\n", "$HOME", "${HOME}", "$(id)", "`id`", "'a' \"b\""),
    *("\n", "a\nb\n", "\n\n", "\r", "a\r\nb\r\n", "KEY=1\nOTHER=2\n# no comment", "\x01\x07\x1b[0m\x7f"),
    *("강력한 비밀번호", "é\u0301", "\ufeffmark", "\u2028", "\x85", "🔑"),
    "-----BEGIN PRIVATE KEY-----\nMIIEvQ+/=\n-----END PRIVATE KEY-----\n",
    "postgres://user:p%40ss@db:5432/shop?sslmode=require#x",
]


def test_systemd_reads_every_rendered_value_back_unchanged(sandbox_exec: Exec) -> None:
    wanted = {f"VALUE_{number}": value for number, value in enumerate(VALUES)}
    code, output = sandbox_exec(["python3", "-c", READ_BACK, render_env(EnvFile("env", wanted))])
    assert code == 0, output
    found = json.loads(output)
    assert {name: found.get(name) for name in wanted} == wanted
    assert "OTHER" not in found


def test_systemd_refuses_the_characters_that_parse_env_refuses(sandbox_exec: Exec) -> None:
    for letter in "\ufffe\ufdd0\U0001ffff":
        code, _ = sandbox_exec(["python3", "-c", READ_BACK, f'A="{letter}"\n'])
        assert code != 0
