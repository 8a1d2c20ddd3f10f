"""The way to a server, and everything that can stand in it: each with its own words and the next command to type."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Exec
from prepared import run_shipper

from shipper.sandbox.server import Sandbox

OTHER_PIN = "SHA256:" + "A" * 43
STRANGER = "stranger"


@dataclass(frozen=True)
class Shop:
    """A project whose target is described by each test, and a home folder in which only the test has a say."""

    root: Path
    home: Path
    sandbox: Sandbox

    def target(self, **values: str | int | None) -> None:
        """Describe the target; what is not given is what would work."""
        known = {
            "host": "127.0.0.1",
            "user": "deploy",
            "port": self.sandbox.ssh_port,
            "key": str(self.sandbox.key_file),
            "host_key": self.sandbox.host_key_fingerprint,
            **values,
        }
        lines = [f"{key} = {value!r}".replace("'", '"') for key, value in known.items() if value is not None]
        text = 'name = "shop"\n[frontend]\npreset = "static"\n\n[targets.server]\n' + "\n".join(lines) + "\n"
        (self.root / "ship.toml").write_text(text, encoding="utf-8")

    def run(self, *words: str, **environment: str) -> tuple[int, str]:
        kept = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
        done = run_shipper(words, self.root, {**kept, "HOME": str(self.home), **environment}, timeout=60)
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, done.stdout

    def check(self, **environment: str) -> tuple[int, str]:
        return self.run("host.check", **environment)

    def ssh_file(self, name: str, text: str) -> Path:
        path = self.home / ".ssh" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    def known_hosts(self, key: str, port: int | None = None) -> None:
        self.ssh_file("known_hosts", f"[127.0.0.1]:{port or self.sandbox.ssh_port} {key}\n")

    def server_key(self) -> str:
        return public_half(self.sandbox.host_key_file)


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "shop", tmp_path / "home", sandbox)
    (made.root / "frontend").mkdir(parents=True)
    (made.home / ".ssh").mkdir(parents=True)
    made.target()
    return made


def make_key(path: Path, passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)], check=True)
    return path


def public_half(path: Path) -> str:
    done = subprocess.run(["ssh-keygen", "-y", "-f", str(path)], check=True, capture_output=True, text=True)
    return " ".join(done.stdout.split()[:2])


def test_facts_of_the_server_are_shown(shop: Shop) -> None:
    code, output = shop.check()
    assert code == 0, output
    for words in (
        "Debian GNU/Linux 12",
        "MB available",
        "GB free",
        "3.11",
        "1.22",
        "running",
        "configuration ok",
        "252",
    ):
        assert words in output
    assert re.search(r"22 +0\.0\.0\.0 +sshd +ssh\.service", output)
    assert re.search(r"80 +0\.0\.0\.0 +nginx +nginx\.service", output)


def test_a_name_that_does_not_resolve(shop: Shop) -> None:
    shop.target(host="no-such-server.invalid")
    code, output = shop.check()
    assert (code, "no-such-server.invalid does not resolve" in output) == (4, True), output
    assert "Check `host`" in output


def test_a_port_that_nobody_listens_on(shop: Shop) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        shop.target(port=port)
        code, output = shop.check()
    assert (code, f"127.0.0.1:{port} refuses the connection" in output) == (4, True), output


def test_a_port_that_accepts_and_never_says_a_word(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shop.target(port=silent.getsockname()[1])
        code, output = shop.check()
    assert (code, "does not speak SSH" in output) == (4, True), output


def test_a_port_of_something_else(shop: Shop) -> None:
    shop.target(port=shop.sandbox.http_port)
    code, output = shop.check()
    assert code == 4, output
    assert "does not speak SSH" in output


def test_a_key_that_the_server_does_not_know(shop: Shop) -> None:
    shop.target(key=str(make_key(shop.home / "other")))
    code, output = shop.check()
    assert code == 4, output
    assert "does not let deploy in" in output
    assert "ec2-user" in output
    assert f"ssh -v deploy@127.0.0.1 -p {shop.sandbox.ssh_port}" in output


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, ("cannot be read", "Check `key`")),
        (lambda path: make_key(path).chmod(0o644), ("open to others (mode 0644)", "chmod 600")),
        (lambda path: path.write_text("ssh-ed25519 AAAA me"), ("is a public key",)),
        (lambda path: path.write_text("PuTTY-User-Key-File-3: ssh-ed25519"), ("key of PuTTY", "puttygen")),
        (lambda path: make_key(path, "a passphrase"), ("has a passphrase", "ssh-add")),
    ],
    ids=["missing", "open to others", "public", "PuTTY", "passphrase"],
)
def test_a_key_file_that_cannot_be_used(shop: Shop, make: object, words: tuple[str, ...]) -> None:
    path = shop.home / "key"
    assert callable(make)
    make(path)
    if path.exists() and "mode 0644" not in words[0]:
        path.chmod(0o600)
    shop.target(key=str(path))
    code, output = shop.check()
    assert code == 4, output
    assert [word for word in words if word not in output] == [], output


def test_a_key_with_a_passphrase_works_through_ssh_agent(shop: Shop) -> None:
    key = shop.ssh_file("id_deploy", shop.sandbox.key_file.read_text())
    started = subprocess.run(["ssh-agent", "-s"], check=True, capture_output=True, text=True).stdout
    agent = dict(re.findall(r"(SSH_AUTH_SOCK|SSH_AGENT_PID)=([^;]+);", started))
    try:
        subprocess.run(["ssh-add", "-q", str(key)], check=True, env={**os.environ, **agent}, capture_output=True)
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(key)], check=True, capture_output=True)
        shop.target(key=str(key))
        assert shop.check(**agent)[0] == 0
        shop.target(key=None)
        assert shop.check(**agent)[0] == 0
    finally:
        subprocess.run(["kill", agent["SSH_AGENT_PID"]], check=True)


def test_ssh_config_is_honoured(shop: Shop) -> None:
    shop.known_hosts(shop.server_key())
    shop.ssh_file(
        "config",
        f"Host shop-server\n  HostName 127.0.0.1\n  Port {shop.sandbox.ssh_port}\n  User deploy\n"
        f"  IdentityFile {shop.sandbox.key_file}\n",
    )
    shop.target(host="shop-server", user=None, port=None, key=None, host_key=None)
    code, output = shop.check()
    assert code == 0, output


def test_a_jump_host_is_gone_through_and_has_to_be_known_as_well(shop: Shop) -> None:
    # From the practice server to itself: its sshd is at port 22 in there, and only there.
    shop.target(port=22, jump=f"deploy@127.0.0.1:{shop.sandbox.ssh_port}")
    code, output = shop.check()
    assert (code, "is not known" in output) == (4, True), output
    shop.known_hosts(shop.server_key())
    code, output = shop.check()
    assert code == 0, output
    shop.ssh_file("config", f"Host inner\n  HostName localhost\n  ProxyJump deploy@127.0.0.1:{shop.sandbox.ssh_port}\n")
    shop.ssh_file("id_ed25519", shop.sandbox.key_file.read_text())
    shop.target(host="inner", port=22)
    code, output = shop.check()
    assert code == 0, output


def test_a_server_that_is_just_starting_is_tried_again(shop: Shop) -> None:
    with socket.socket() as late, ExitStack() as sockets:
        late.bind(("127.0.0.1", 0))
        shop.target(port=late.getsockname()[1])

        def begin() -> None:
            late.listen()
            near = sockets.enter_context(late.accept()[0])
            far = sockets.enter_context(socket.create_connection(("127.0.0.1", shop.sandbox.ssh_port)))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=pass_on, args=[source, sink], daemon=True).start()

        threading.Timer(1.0, begin).start()
        code, output = shop.check()
    assert code == 0, output


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def test_an_unknown_server_is_refused_until_it_is_trusted(shop: Shop) -> None:
    shop.target(host_key=None)
    code, output = shop.check()
    assert code == 4, output
    assert "is not known" in output
    assert shop.sandbox.host_key_fingerprint in output
    assert "inv host.trust --to server" in output
    code, output = shop.run("host.trust", "--to", "server")
    assert (code, "--yes" in output) == (2, True), output
    code, output = shop.run("host.trust", "--to", "server", "--yes")
    assert code == 0, output
    assert f'host_key = "{shop.sandbox.host_key_fingerprint}"' in (shop.root / "ship.toml").read_text()
    assert shop.check()[0] == 0


def test_a_changed_key_is_refused_loudly(shop: Shop) -> None:
    shop.target(host_key=OTHER_PIN)
    code, output = shop.check()
    assert code == 4, output
    assert "HAS CHANGED" in output
    assert OTHER_PIN in output
    assert shop.sandbox.host_key_fingerprint in output
    assert "inv host.trust --to server --replace" in output
    code, output = shop.run("host.trust", "--yes")
    assert (code, "another host key" in output) == (4, True), output
    assert OTHER_PIN in (shop.root / "ship.toml").read_text()
    assert shop.run("host.trust", "--yes", "--replace")[0] == 0
    assert shop.check()[0] == 0


def test_a_key_that_differs_from_known_hosts_is_refused_loudly(shop: Shop) -> None:
    shop.known_hosts(public_half(make_key(shop.home / "other")))
    shop.target(host_key=None)
    code, output = shop.check()
    assert code == 4, output
    assert "HAS CHANGED" in output
    assert "ssh-keygen -R" in output
    shop.known_hosts(shop.server_key())
    assert shop.check()[0] == 0


@pytest.fixture
def stranger(shop: Shop, sandbox_exec: Exec) -> Iterator[Shop]:
    """A user of the server who may log in and nothing else."""
    key = public_half(shop.sandbox.key_file)
    script = (
        f"useradd --create-home --shell /bin/bash {STRANGER} && mkdir -m 700 /home/{STRANGER}/.ssh && "
        f"echo '{key}' > /home/{STRANGER}/.ssh/authorized_keys && chown -R {STRANGER}: /home/{STRANGER}"
    )
    assert sandbox_exec(["sh", "-c", script])[0] == 0
    shop.target(user=STRANGER)
    yield shop
    sandbox_exec(["userdel", "--remove", "--force", STRANGER])


def test_a_user_who_may_not_use_sudo(stranger: Shop) -> None:
    code, output = stranger.check()
    assert code == 4, output
    assert f"{STRANGER} may not use sudo without a password" in output
    assert "/etc/sudoers.d/" in output


def test_a_login_shell_that_greets_does_not_disturb(shop: Shop, sandbox_exec: Exec) -> None:
    sandbox_exec(
        ["sh", "-c", "echo 'echo Welcome to this server' > /home/deploy/.bashrc; chown deploy /home/deploy/.bashrc"]
    )
    try:
        assert shop.check()[0] == 0
    finally:
        sandbox_exec(["rm", "/home/deploy/.bashrc"])


OLD_PYTHON = """#!/bin/sh
exec /usr/bin/python3.11 -c 'import sys; sys.version_info = (3, 7, 3, "final", 0); exec(sys.argv[1])' "$3"
"""


@pytest.mark.parametrize(("stub", "words"), [("", "has no python3"), (OLD_PYTHON, "is too old: 3.7")])
def test_a_python_that_is_missing_or_too_old(shop: Shop, sandbox_exec: Exec, stub: str, words: str) -> None:
    sandbox_exec(["mv", "/usr/bin/python3", "/usr/bin/kept"])
    if stub:
        sandbox_exec(["sh", "-c", 'printf %s "$1" > /usr/bin/python3; chmod +x /usr/bin/python3', "sh", stub])
    try:
        code, output = shop.check()
    finally:
        sandbox_exec(["mv", "/usr/bin/kept", "/usr/bin/python3"])
    assert (code, words in output) == (4, True), output
    assert "->" in output


def test_the_agent_is_sent_once_and_checked_at_every_start(shop: Shop, sandbox_exec: Exec) -> None:
    sandbox_exec(["rm", "-rf", "/var/lib/shipper"])
    assert shop.check()[0] == 0
    listing = ["sh", "-c", "stat -c '%i %a %U %n' /var/lib/shipper/agent /var/lib/shipper/agent/*"]
    first = sandbox_exec(listing)
    assert "700 root" in first[1]
    assert shop.check()[0] == 0
    assert sandbox_exec(listing) == first
    sandbox_exec(["sh", "-c", "echo damaged >> /var/lib/shipper/agent/*.pyz"])
    assert shop.check()[0] == 0
    assert sandbox_exec(listing) != first
    compiled = "/var/lib/shipper/compiled"  # made when the client has left
    sandbox_exec(["timeout", "30", "sh", "-c", f"until ls {compiled}/*.zip; do sleep 0.1; done"])
    sandbox_exec(["sh", "-c", f"echo damaged >> $(ls {compiled}/*.zip)"])
    assert shop.check()[0] == 0
