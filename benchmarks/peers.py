"""The ways in which others bring an image to a server over SSH, each over one connection that stays open.

`docker save`, compressed, into `docker load`; and Docker's own registry, on the server or here, behind an SSH tunnel.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.server import run_on
from shipper.sandbox.login import ssh_command
from shipper.sandbox.state import LOOPBACK, Access

REGISTRY_HERE = "registry here, ssh -R, push and pull"
REGISTRY_THERE = "registry on the server, ssh -L, push and pull"
ZSTD = "docker save | zstd -3 | ssh zstd -d | docker load"
GZIP = "docker save | gzip | ssh docker load"
REGISTRY_FOLDER = "/var/lib/registry"
_REGISTRY_PORT = 5000
_REGISTRY_CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Shell:
    """An open SSH connection: what is run on the server goes through it, and so do tunnels."""

    login: tuple[str, ...]
    control: Path

    @property
    def fresh(self) -> list[str]:
        """The command that logs in over a connection of its own."""
        return list(self.login)

    @property
    def kept(self) -> list[str]:
        """The command that uses the open connection."""
        return [self.login[0], "-S", str(self.control), *self.login[1:]]

    @contextmanager
    def tunnel(self, *options: str) -> Iterator[None]:
        """Forward a port for the length of the block; `options` are -L or -R with its argument, as in ssh(1)."""
        ask = [self.login[0], "-S", str(self.control), "-O"]
        subprocess.run([*ask, "forward", *options, self.login[-1]], check=True, capture_output=True)
        try:
            yield
        finally:
            subprocess.run([*ask, "cancel", *options, self.login[-1]], check=True, capture_output=True)


@contextmanager
def open_shell(access: Access, port: int, folder: Path) -> Iterator[Shell]:
    """Keep a connection to the practice server open for the length of the block, through a `port` of this machine."""
    *words, who = ssh_command(replace(access, ssh_port=port))
    # The key is known by the server's own port.
    login = (*words, "-o", f"HostKeyAlias=[{LOOPBACK}]:{access.ssh_port}", "-o", "BatchMode=yes", who)
    shell = Shell(login, folder / f"ssh-{port}")
    # stdout is closed, or who waits for its end would wait for the connection's.
    subprocess.run([*shell.kept[:-1], "-M", "-N", "-f", who], check=True, stdout=subprocess.DEVNULL)
    try:
        yield shell
    finally:
        subprocess.run([*shell.kept[:-1], "-O", "exit", who], check=True, capture_output=True)


# Takes the tag of an image here, brings it to the server, and returns what the parts of that took, in seconds.
Deliver = Callable[[str], dict[str, float]]


@dataclass(frozen=True)
class Peer:
    """A way of bringing images to a server, with the program it needs here and the package it needs there.

    `open` sets up what it needs for a server (the connection, its name, a folder here), for the length of a block.
    """

    name: str
    program: str
    package: str
    open: Callable[[Shell, str, Path], AbstractContextManager[Deliver]]


def peers() -> list[Peer]:
    """Return the ways of others, in the order in which they are measured."""
    return [
        Peer(REGISTRY_HERE, "docker-registry", "", _registry_here),
        Peer(REGISTRY_THERE, "docker-registry", "docker-registry", _registry_there),
        Peer(ZSTD, "zstd", "zstd", _save_and_load(["zstd", "-q", "-3"], "zstd -q -d |")),
        Peer(GZIP, "gzip", "", _save_and_load(["gzip"], "")),
    ]


def _save_and_load(pack: Sequence[str], unpack: str) -> Callable[[Shell, str, Path], AbstractContextManager[Deliver]]:
    @contextmanager
    def opened(shell: Shell, server: str, folder: Path) -> Iterator[Deliver]:
        def deliver(tag: str) -> dict[str, float]:
            _pipe(["docker", "save", tag], pack, [*shell.kept, f"{unpack} sudo docker load --quiet"])
            return {}

        yield deliver

    return opened


def _pipe(*commands: Sequence[str]) -> None:
    """Run commands, each with the output of the one before; all have to succeed."""
    running: list[subprocess.Popen[bytes]] = []
    for number, command in enumerate(commands):
        source = running[-1].stdout if running else subprocess.DEVNULL
        sink = subprocess.PIPE if number + 1 < len(commands) else subprocess.DEVNULL
        running.append(subprocess.Popen(command, stdin=source, stdout=sink))
        if len(running) > 1:
            # Only the reader holds it now: when that one ends, the writer is told.
            running[-2].stdout.close()
    codes = [process.wait() for process in running]
    assert not any(codes), f"{commands}: {codes}"


@contextmanager
def _registry_here(shell: Shell, server: str, folder: Path) -> Iterator[Deliver]:
    """A registry on this machine: pushed to over loopback, pulled from through the tunnel."""
    port, contents = _free_port(), folder / f"registry-{time.monotonic_ns()}"
    config = folder / f"{contents.name}.yml"
    config.write_text(_REGISTRY_CONFIG.format(folder=contents, port=port), encoding="utf-8")
    process = subprocess.Popen(["docker-registry", "serve", str(config)], stderr=subprocess.DEVNULL)
    try:
        _wait_for_registry(port)
        with shell.tunnel("-R", f"{LOOPBACK}:{port}:{LOOPBACK}:{port}"):
            yield lambda tag: _push_and_pull(shell, tag, port, port)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(contents, ignore_errors=True)


@contextmanager
def _registry_there(shell: Shell, server: str, folder: Path) -> Iterator[Deliver]:
    """A registry on the server: pushed to through the tunnel, pulled from over loopback."""
    port = _free_port()
    config = _REGISTRY_CONFIG.format(folder=REGISTRY_FOLDER, port=_REGISTRY_PORT)
    run_on(server, "sh", "-c", f"printf %s '{config}' > /root/registry.yml")
    # Debian's own is open to the network, and wants a login.
    run_on(server, "systemctl", "disable", "--quiet", "--now", "docker-registry")
    command = ("docker-registry", "serve", "/root/registry.yml")
    run_on(server, "systemd-run", "--quiet", "--unit=bench-registry", "--collect", *command)
    try:
        with shell.tunnel("-L", f"{LOOPBACK}:{port}:{LOOPBACK}:{_REGISTRY_PORT}"):
            _wait_for_registry(port)
            yield lambda tag: _push_and_pull(shell, tag, port, _REGISTRY_PORT)
    finally:
        run_on(server, "systemctl", "stop", "bench-registry")


def _push_and_pull(shell: Shell, tag: str, here: int, there: int) -> dict[str, float]:
    """Push to the registry as this machine sees it, and pull from it as the server does."""
    began = time.monotonic()
    pushed = f"{LOOPBACK}:{here}/{tag}"
    subprocess.run(["docker", "tag", tag, pushed], check=True)
    subprocess.run(["docker", "push", "--quiet", pushed], check=True, stdout=subprocess.DEVNULL)
    middle = time.monotonic()
    pull = f"sudo docker pull --quiet {LOOPBACK}:{there}/{tag}"
    subprocess.run([*shell.kept, pull], check=True, stdout=subprocess.DEVNULL)
    ended = time.monotonic()
    return {"push": middle - began, "pull": ended - middle}


def _wait_for_registry(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with suppress(OSError), urllib.request.urlopen(f"http://{LOOPBACK}:{port}/v2/", timeout=5):
            return
        assert time.monotonic() < deadline, "the registry does not start"
        time.sleep(0.05)


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])
