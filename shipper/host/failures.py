"""What can go wrong on the way to a server, told apart, each with the next command to type (field notes U6 and U8)."""

from __future__ import annotations

import socket

import paramiko

from shipper.errors import ConnectionLostError, HostError

_USERS = "Ubuntu: ubuntu; Debian: admin or debian; Amazon Linux: ec2-user; others: root"


def explain(error: Exception, address: str, user: str, keys: str) -> HostError:
    """Return the error for a failed connection to `address` ("host:port") as `user`; `keys` says what was tried."""
    if isinstance(error, HostError):
        return error
    if isinstance(error, socket.gaierror):
        return HostError(
            f"The name {address.rpartition(':')[0]} does not resolve.",
            why=str(error),
            fix="Check `host` in the target, and your network.",
        )
    if isinstance(error, paramiko.PasswordRequiredException):
        return HostError(
            f"The key for {user}@{address} has a passphrase.",
            why=f"Tried: {keys}",
            fix="Give it to ssh-agent once: ssh-add <key file>",
        )
    if isinstance(error, paramiko.AuthenticationException):
        return HostError(
            f"{address} does not let {user} in.",
            why=f"The server refused every key. Tried: {keys}",
            fix=f"Check `user` and `key` in the target ({_USERS}).\nBy hand: ssh -v {user}@{_ssh_words(address)}",
        )
    return _explain_network(error, address)


def _explain_network(error: Exception, address: str) -> HostError:
    host, _, port = address.rpartition(":")
    if isinstance(error, ConnectionRefusedError):
        return HostError(
            f"{address} refuses the connection.",
            why="The machine answers, but nothing listens on that port.",
            fix=f"Is sshd running there, and is it port {port}? Check `port` in the target.",
        )
    if isinstance(error, TimeoutError):
        return HostError(
            f"{address} does not answer.",
            why="Ten seconds went by. The machine is off, or a firewall (security group) drops the packets.",
            fix=f"Check that the machine runs and that port {port} is open for your address.",
        )
    if isinstance(error, paramiko.SSHException) and "banner" in str(error).lower():
        return HostError(f"{address} does not speak SSH.", why=str(error), fix="Check `host` and `port` in the target.")
    if isinstance(error, OSError):
        return HostError(f"{address} cannot be reached.", why=str(error), fix=f"Check your network, then: ssh {host}")
    return HostError(f"The SSH connection to {address} failed.", why=str(error) or type(error).__name__)


def _ssh_words(address: str) -> str:
    host, _, port = address.rpartition(":")
    return host if port == "22" else f"{host} -p {port}"


def explain_start(answer: dict[str, str], user: str, address: str) -> HostError:
    """Return the error for what the server said instead of starting the agent."""
    said = answer.get("agent")
    if said == "old":
        return HostError(
            f"The Python of {address} is too old: {answer.get('python')}.",
            why="shipper needs 3.9 or newer as python3 on the server.",
            fix="Debian 11, Ubuntu 22.04 and Amazon Linux 2023, or newer, have one.",
        )
    if said == "no-python":
        return HostError(f"{address} has no python3.", fix="On the server: sudo apt-get install python3 (or dnf)")
    if said == "no-sudo":
        return HostError(
            f"{address} has no sudo, and {user} is not root.", fix="Install sudo there, or log in as root."
        )
    if said == "unwritable":
        return HostError(
            f"The agent cannot be written to /var/lib/shipper on {address}.",
            why=answer.get("why", ""),
            fix="Make room on the server's disk: df -h; sudo journalctl --vacuum-size=100M",
        )
    return HostError(f"The agent was damaged on its way to {address}.", fix="Try again.")


def explain_silence(errors: str, user: str, address: str) -> HostError:
    """Return the error for a start of the agent that ended without a word; `errors` is what came on standard error."""
    lowered = errors.lower()
    if "password is required" in lowered or "a terminal is required" in lowered or "not in the sudoers" in lowered:
        return HostError(
            f"{user} may not use sudo without a password on {address}.",
            why=errors.strip(),
            fix=f"On the server: echo '{user} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/{user}",
        )
    return ConnectionLostError(
        f"The connection to {address} was lost.", why=errors.strip(), fix="Try again; `inv status` shows what is live."
    )
