"""`make demo`: type for the reader what the guide says, so that the example ends up on a practice server here."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from shipper.config.envfile import EnvFile, render_env
from shipper.errors import ConfigError
from shipper.report.console import console
from shipper.sandbox.state import chosen_name, load_target

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "quality"


def main() -> int:
    """Run the demo; return the exit code of the command that failed, 0 when all worked."""
    code = shipper("sandbox.up")
    if code != 0:
        return code
    target = load_target(chosen_name())
    if target is None:
        raise ConfigError("The practice server was started, but is not known.", fix="Type: make demo")
    env_file = EXAMPLE / target.env_file
    if not env_file.exists():
        write_env(env_file, target.server_name, target.public_url)
    for words in (("env.push", "--to", "sandbox"), ("ship", "--to", "sandbox", "--yes")):
        code = shipper(*words)
        if code != 0:
            return code
    console.print(f"\nLook at it: {target.public_url}", markup=False)
    console.print(f"Change something in {EXAMPLE}, and there: inv ship --to sandbox", markup=False)
    return 0


def shipper(*words: str) -> int:
    """Run a command of shipper in the example's folder, as its user would; return its exit code."""
    console.print(f"\n$ shipper {' '.join(words)}", markup=False, style="bold")
    program = Path(sys.executable).with_name("shipper")
    return subprocess.run([program, *words], cwd=EXAMPLE, check=False).returncode


def write_env(path: Path, name: str, url: str) -> None:
    """Write the example's environment for the practice server, with a secret of its own; only the owner can read it."""
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": name,
        "CSRF_TRUSTED_ORIGINS": url,
        "DATABASE_PATH": "/srv/quality/shared/data/quality.sqlite3",
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(render_env(EnvFile(path.name, values)))


if __name__ == "__main__":
    sys.exit(main())
