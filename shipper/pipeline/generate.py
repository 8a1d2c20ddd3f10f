"""`inv env.generate`: an env file made from the project's example, with secrets of its own (field notes E5, E6)."""

from __future__ import annotations

import base64
import os
import re
import secrets
import shutil
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipper.check.web_settings import fitting_value
from shipper.config.envfile import EnvFile, is_placeholder, names_secret, parse_env, password_in_url
from shipper.config.project import Project
from shipper.config.target import Target
from shipper.config.text import decode_text
from shipper.errors import ConfigError
from shipper.findings import Finding
from shipper.git import ask_git
from shipper.pipeline.env_difference import EXAMPLES, find_example
from shipper.pipeline.environment import check_values
from shipper.pipeline.job import Job

_LETTERS = string.ascii_letters + string.digits  # nothing that a URL, a shell or Compose would read as more than itself
_KEY_LENGTH, _PASSWORD_LENGTH = 64, 32
_PASSWORD = re.compile(r"PASSWORD|PASSWD|PASSPHRASE|(?:^|_)(?:PW|PWD|PASS)(?:$|_)")
_KEY = re.compile(r"SECRET|JWT|SESSION|SIGNING|SALT|PEPPER")
# A Fernet key, as cryptography and django-cryptography want it: 32 bytes in URL-safe base64.
_FERNET = re.compile(r"FERNET|ENCRYPTION_?KEY")
# Somebody else gives these out; a random value would only hide that it is missing.
_GIVEN = re.compile(
    r"AWS|AZURE|GOOGLE|GCP|GITHUB|GITLAB|KAKAO|NAVER|TOSS|IAMPORT|APPLE|FACEBOOK|STRIPE|PAYPAL|OPENAI|ANTHROPIC|GEMINI|"
    r"SLACK|DISCORD|TELEGRAM|TWILIO|SENDGRID|MAIL|SMTP|SENTRY|OAUTH|CLIENT_SECRET|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|"
    r"WEBHOOK|FIREBASE|CLOUDFLARE|(?:^|_)S3(?:$|_)|TOKEN$"
)
_VALUE = r"[ \t]*(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|.*?)(?P<comment>[ \t]+#.*)?"
_UNQUOTED = re.compile(r"[A-Za-z0-9_./:@%+,=*-]*")


@dataclass(frozen=True)
class Generated:
    """A new env file: its text, and by name what became of the example's variables.

    `made` are random secrets, `fitted` settings that now say the target's address, `open` what only a person can fill
    in.
    """

    text: str
    made: tuple[str, ...]
    fitted: tuple[str, ...]
    open: tuple[str, ...]


def generate_environment(job: Job) -> tuple[Path, Path, Generated, list[Finding]]:
    """Write the target's env file from the project's example, readable by this user alone.

    Returns the file, the example, what was made, and what the rules say of the result. Raises ConfigError when the file
    is there (it is never overwritten), when there is no example, and when git would take the file.
    """
    file = job.workspace.root / job.target.env_file
    if file.exists() or file.is_symlink():
        raise ConfigError(
            f"{job.target.env_file} is there already, and is never overwritten.",
            fix=f"inv env.diff --to {job.target_name}   (shows what it lacks)",
        )
    example = find_example(job)
    if example is None:
        raise ConfigError(
            "There is no example of an env file to make one from.",
            why=f"Looked for {', '.join(EXAMPLES)} beside ship.toml and in the backend's folder.",
            fix="Write .env.example: one NAME= a line, without the secrets. It belongs into git.",
        )
    refuse_tracked(file)
    made = generate(example.read_bytes(), example.name, job.workspace.project, job.target)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(made.text)
    return file, example, made, check_values(job, parse_env(made.text, job.target.env_file))


def refuse_tracked(file: Path) -> None:
    """Raise ConfigError when git has a file, or would take it with `git add` (field note G1)."""
    folder = next(parent for parent in file.parents if parent.is_dir())
    if shutil.which("git") is None:
        return
    if ask_git(folder, "rev-parse", "--is-inside-work-tree", codes=(0, 128)).strip() != b"true":
        return
    # A file that git has is not ignored, whatever .gitignore says: gitignore(5).
    name = file.relative_to(folder).as_posix()
    if not ask_git(folder, "check-ignore", "--", name, codes=(0, 1)):
        raise ConfigError(
            f"Git would take {name}, so it is not written.",
            why="Secrets in a repository stay in its history, and go wherever it goes.",
            fix=f"Put this line into .gitignore: {name}   (or: inv check --ignores --fix)",
        )


def generate(content: bytes, source: str, project: Project, target: Target) -> Generated:
    """Return the text of a new env file; the example's comments and order stay. Raises ConfigError."""
    text = decode_text(content, source).replace("\r\n", "\n")
    backend = project.backend
    named = parse_env(text, source).values
    missing = [name for name in (backend.required_env if backend else ()) if name not in named]
    if missing:
        text = "\n".join([text.rstrip("\n"), "", "# ship.toml requires these.", *_empty(missing), ""])
    env = parse_env(text, source)
    made = _secrets(env)
    urls = _urls(env, made)
    fitted = {}
    for name, value in env.values.items():
        fits = fitting_value(name, value, project, target)
        if fits is not None and fits != value:
            fitted[name] = fits
    given = {name: "" for name in env.values if names_secret(name) and _is_given(name)}
    lines = text.split("\n")
    for name, value in {**given, **fitted, **urls, **made}.items():
        place = env.lines[name] - 1
        lines[place] = _rewritten(lines[place], name, value)
    new = "\n".join(lines)
    values = parse_env(new, source).values
    left = [name for name, value in values.items() if _is_open(name, value, given, missing)]
    return Generated(new, (*made, *urls), tuple(fitted), tuple(left))


def _empty(names: list[str]) -> list[str]:
    return [f"{name}=" for name in names]


def _is_given(name: str) -> bool:
    return bool(_GIVEN.search(name.upper()))


def _secrets(env: EnvFile) -> dict[str, str]:
    """Return a new value for every secret that is the app's own; a value of several lines is left to a person."""
    own = [name for name in env.values if not _is_given(name) and "\n" not in env.values[name]]
    found = {name: _random(name.upper()) for name in own if names_secret(name) or _FERNET.search(name.upper())}
    return {name: value for name, value in found.items() if value}


def _random(name: str) -> str:
    if _FERNET.search(name):
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    length = _PASSWORD_LENGTH if _PASSWORD.search(name) else _KEY_LENGTH if _KEY.search(name) else 0
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _urls(env: EnvFile, made: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses that hold the password of another variable of the example, with the new one in it."""
    urls = {}
    for name, value in env.values.items():
        password = password_in_url(value)
        owners = [other for other in made if password and env.values[other] == password]
        if owners and name not in made:
            owner = min(owners, key=lambda other: _distance(other, value))
            urls[name] = value.replace(f":{password}@", f":{made[owner]}@", 1)
    return urls


def _distance(name: str, url: str) -> tuple[bool, bool]:
    """Return how far a password is from an address: an example may have one text for all of them."""
    service = url.partition("://")[0].partition("+")[0].upper()[:5]  # postgresql, too, is POSTGRES_PASSWORD's
    return service not in name.upper(), "ROOT" in name.upper()


def _is_open(name: str, value: str, given: Mapping[str, str], missing: list[str]) -> bool:
    if not value.strip():
        return name in given or name in missing or names_secret(name)
    return is_placeholder(name, value)


def _rewritten(line: str, name: str, value: str) -> str:
    """Return a line of the example with another value; what stands before it and the comment behind it stay."""
    match = re.fullmatch(rf"(?P<head>[ \t]*(?:export[ \t]+)?{re.escape(name)}[ \t]*=){_VALUE}[ \t]*", line)
    written = value if _UNQUOTED.fullmatch(value) else f"'{value}'"
    if match is None:  # a value of several lines, which is never rewritten
        return line
    return f"{match['head']}{written}{match['comment'] or ''}"
