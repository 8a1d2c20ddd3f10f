"""Facts about the server, read from /proc and the file system wherever possible: a plan must not wait for programs."""

from __future__ import annotations

import glob
import os
import platform
import re
import shutil
import socket
import sys
from typing import Any

from . import ports, programs

_PROGRAM_SECONDS = 10.0
_INTERPRETER = re.compile(r"python(3\.[0-9]+)")


def basic() -> dict[str, Any]:
    """Return what every plan needs, without starting a program. Sizes are in bytes."""
    libc, version = platform.libc_ver()
    return {
        "os": _os_release(),
        "machine": platform.machine(),
        "libc": {"name": libc, "version": version},
        "python": {"version": platform.python_version(), "minor": _minor(), "executable": sys.executable},
        "pythons": _interpreters(),
        "ipv6": os.path.exists("/proc/net/if_inet6"),
        "memory": _memory(),
        "disk": disk("/srv"),
    }


def full() -> dict[str, Any]:
    """Return what `inv host.check` shows: `basic`, the programs with version and state, and who holds which port."""
    return {
        **basic(),
        "hostname": socket.gethostname(),
        "kernel": platform.release(),
        "nginx": _nginx(),
        "systemd": {
            "version": _second_word(_first_line(["systemctl", "--version"])),
            "state": _first_line(["systemctl", "is-system-running"]),
        },
        "docker": _first_line(["docker", "--version"]) if shutil.which("docker") else "",
        "ports": ports.listening(),
    }


def _minor() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def _interpreters() -> dict[str, str]:
    """Return the paths of the Pythons that systemd could start, by version; the system's own python3 is preferred."""
    found = {}
    for folder in ("/usr/local/bin", "/usr/bin"):
        for path in glob.glob(os.path.join(folder, "python3.*")):
            match = _INTERPRETER.fullmatch(os.path.basename(path))
            if match:
                found[match[1]] = path
    if os.access("/usr/bin/python3", os.X_OK) and os.path.realpath("/usr/bin/python3") == os.path.realpath(
        sys.executable
    ):
        found[_minor()] = "/usr/bin/python3"
    return found


def _os_release() -> dict[str, str]:
    """Read os-release(5)."""
    values: dict[str, str] = {}
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            for line in file:
                key, separator, value = line.strip().partition("=")
                if separator:
                    values[key] = value.strip("\"'")
    except FileNotFoundError:
        pass
    return {
        "id": values.get("ID", ""),
        "name": values.get("PRETTY_NAME", "unknown"),
        "version": values.get("VERSION_ID", ""),
    }


def _memory() -> dict[str, int]:
    """Read /proc/meminfo, proc(5), and take a limit of the machine's own control group into account (containers)."""
    values = {}
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            key, _, rest = line.partition(":")
            values[key] = int(rest.split()[0]) * 1024
    total, available = values["MemTotal"], values.get("MemAvailable", values["MemFree"])
    limit, used = _group_limit()
    if limit and limit < total:
        total, available = limit, max(0, limit - used)
    return {"total": total, "available": available, "swap": values.get("SwapTotal", 0)}


def memory_of(unit: str) -> int:
    """Return the memory that the processes of a unit hold and cannot give back, in bytes: file cache is not in it."""
    return sum(_anonymous(pid) for pid in os.listdir("/proc") if pid.isdigit() and _belongs(pid, unit))


def _belongs(pid: str, unit: str) -> bool:
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            return any(line.rstrip("\n").endswith("/" + unit) for line in file)
    except OSError:  # it ended meanwhile
        return False


def _anonymous(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:")), 0)
    except OSError:
        return 0


def _group_limit() -> tuple[int, int]:
    """Return limit and use of the outermost control group, of version 2 or 1; zeros where there is none."""
    for limit_file, used_file, cache_file in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
        *_version_one(),
    ):
        limit = _number(limit_file)
        if limit:
            return limit, max(0, _number(used_file) - _reclaimable(cache_file))
    return 0, 0


def _version_one() -> list[tuple[str, str, str]]:
    root = "/sys/fs/cgroup/memory"
    try:
        with open("/proc/1/cgroup", encoding="ascii") as file:
            own = [line.rstrip("\n").split(":", 2)[2] for line in file if ":memory:" in line]
    except OSError:
        return []
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat")
    # With systemd inside, process 1 sits in init.scope below the group that carries the limit.
    folders = [root + os.path.dirname(path) for path in own] + [root + path for path in own]
    return [(f"{folder}/{names[0]}", f"{folder}/{names[1]}", f"{folder}/{names[2]}") for folder in folders]


def _reclaimable(path: str) -> int:
    """Return the file cache of a control group, which the kernel gives back when memory is wanted."""
    try:
        with open(path, encoding="ascii") as file:
            values = dict(line.split() for line in file)
    except (OSError, ValueError):
        return 0
    return int(values.get("total_inactive_file", values.get("inactive_file", 0)))


def _number(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            text = file.read().strip()
    except OSError:
        return 0
    # Version 1 says "no limit" with a number near 2^63.
    return int(text) if text.isdigit() and int(text) < 1 << 60 else 0


def disk(path: str) -> dict[str, int]:
    """Return the room on the file system of a folder, which may not be there yet: bytes in all and free, inodes."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    usage = os.statvfs(path)
    return {
        "total": usage.f_blocks * usage.f_frsize,
        "free": usage.f_bavail * usage.f_frsize,
        "inodes": usage.f_favail,
    }


def _nginx() -> dict[str, Any]:
    if not shutil.which("nginx"):
        return {"version": "", "running": False, "test": "nginx is not installed"}
    test = programs.run(["nginx", "-t", "-q"], timeout=_PROGRAM_SECONDS)
    state = _first_line(["systemctl", "is-active", "nginx"])
    version = _first_line(["nginx", "-v"]).rpartition("/")[2]
    return {"version": version, "running": state == "active", "test": "ok" if test.ok else test.text}


def _first_line(argv: list[str]) -> str:
    lines = programs.run(argv, timeout=_PROGRAM_SECONDS).lines
    return lines[0] if lines else ""


def _second_word(line: str) -> str:
    words = line.split()
    return words[1] if len(words) > 1 else ""
