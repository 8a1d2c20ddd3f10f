"""What a run of CI hands over in its environment: keys as people paste them, and who else gets to see them."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from shipper.config.handed import HOST_KEY, handed_host_keys
from shipper.errors import ConfigError
from shipper.host.key import parse_key

NAME = "SHIPPER_SSH_KEY"
PIN = "SHA256:" + "A" * 43
KEYS: dict[str, Any] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "rsa": rsa.generate_private_key(65537, 2048),
    "ecdsa": ec.generate_private_key(ec.SECP256R1()),
}
FORMS = {"OpenSSH": PrivateFormat.OpenSSH, "PEM": PrivateFormat.TraditionalOpenSSL, "PKCS8": PrivateFormat.PKCS8}
CASES = [(kind, form) for kind in KEYS for form in FORMS if (kind, form) != ("ed25519", "PEM")]


def text_of(key: Any, form: str = "OpenSSH", encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, FORMS[form], encryption or NoEncryption()).decode()


def public_half(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.strip(),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.strip().replace("\n", "\\n"),
        lambda text: "\n\n  " + text.replace("\n", "\n    "),
    ],
    ids=["as it is", "without its last line end", "Windows", "escaped", "indented"],
)
@pytest.mark.parametrize(("kind", "form"), CASES)
def test_every_kind_of_key_in_every_form_is_read_however_it_was_pasted(kind: str, form: str, change: Any) -> None:
    key = parse_key(change(text_of(KEYS[kind], form)), NAME)
    assert key.can_sign()
    assert f"{key.get_name()} {key.get_base64()}" == public_half(KEYS[kind])


def old_key() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dsa.generate_private_key(1024)


def cut(text: str, start: float, end: float) -> str:
    return text[: int(len(text) * start)] + text[int(len(text) * end) :]


RSA = text_of(KEYS["rsa"])
BAD = {
    "nothing like a key": ("hello", "no private key that can be read", "5 characters in 1 line;"),
    "without its end": (cut(RSA, 0.7, 1), "no private key that can be read", "its first or last line"),
    "without its start": (cut(RSA, 0, 0.1), "no private key that can be read", "its first or last line"),
    "with a hole": (cut(RSA, 0.5, 0.6), "no private key that can be read", "something is missing"),
    "public": (public_half(KEYS["rsa"]), "holds a public key", "without .pub"),
    "of PuTTY": ("PuTTY-User-Key-File-3: ssh-rsa\nx", "key of PuTTY", "puttygen"),
    "with a passphrase": (
        text_of(KEYS["rsa"], "OpenSSH", BestAvailableEncryption(b"x")),
        "has a passphrase",
        "ssh-keygen",
    ),
    # shipper: allow - the name of a case, and how a key is written
    "PEM with a passphrase": (text_of(KEYS["ecdsa"], "PEM", BestAvailableEncryption(b"x")), "has a passphrase", "CI"),
    "of an old kind": (text_of(old_key(), "PEM"), "of a kind that cannot be used", "RSA, ECDSA, Ed25519"),
    "of a curve without a name in SSH": (
        text_of(ec.generate_private_key(ec.SECP256K1()), "PEM"),
        "SHIPPER_SSH_KEY",
        "",
    ),
}


@pytest.mark.parametrize(("text", "what", "more"), BAD.values(), ids=BAD)
def test_a_key_that_cannot_be_used_is_told_without_any_of_its_text(text: str, what: str, more: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_key(text, NAME)
    said = str(caught.value)
    assert what in said
    assert more in said
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert not [line for line in text.splitlines() if len(line) > 20 and "BEGIN" not in line and line[:20] in said]


def test_host_keys_are_fingerprints_with_anything_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOST_KEY, f" {PIN}=\n{PIN}\n")
    assert handed_host_keys() == (f"{PIN}=", PIN)
    monkeypatch.setenv(HOST_KEY, "")
    assert handed_host_keys() == ()


@pytest.mark.parametrize("text", ["ssh-ed25519 AAAA", "SHA256:short", "MD5:" + "a:" * 16, f"{PIN},{PIN}"])
def test_what_is_no_fingerprint_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(HOST_KEY, text)
    with pytest.raises(ConfigError, match="SHIPPER_HOST_KEY is not the fingerprint"):
        handed_host_keys()


PROGRAM = """\
import subprocess, sys
from invoke.context import Context
from shipper.config.handed import handed_secret
from shipper.tasks.face import command

@command()
def build(context):
    show = "import os; print(sorted(name for name in os.environ if name[8:] in ('SSH_KEY', 'ENV_FILE', 'HOST_KEY')))"
    subprocess.run([sys.executable, "-c", show], check=True)
    print(handed_secret("SHIPPER_SSH_KEY") == "the " + "key", repr(handed_secret("SHIPPER_ENV_FILE")))
    print(handed_secret("SHIPPER_SSH_KEY"))

build(Context())
"""


def test_no_program_that_a_command_starts_inherits_the_secrets_and_none_is_shown() -> None:
    environment = {"SHIPPER_SSH_KEY": "the key", "SHIPPER_ENV_FILE": " ", "SHIPPER_HOST_KEY": PIN}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["['SHIPPER_HOST_KEY']", "True ''", "********"]


def test_the_env_file_is_read_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "ship.toml").write_text(
        'name = "shop"\n[backend]\napp = "a:app"\n[targets.server]\nhost = "127.0.0.1"\nport = 1\n'
    )
    words = [sys.executable, "-m", "shipper", "env.check"]
    given = {**os.environ, "SHIPPER_ENV_FILE": "A=1\nthis is no assignment\n"}
    done = subprocess.run(words, cwd=tmp_path, env=given, capture_output=True, text=True)
    assert done.returncode == 2
    assert "SHIPPER_ENV_FILE:2" in done.stderr
    assert "assignment" not in done.stderr
