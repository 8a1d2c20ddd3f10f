"""Who listens on which port, from /proc alone (proc(5)): sockets, their processes, the units those belong to."""

from __future__ import annotations

import glob
import os
import re
import socket
import struct
from typing import Any

_LISTEN = "0A"  # include/net/tcp_states.h
_UNIT = re.compile(r"/([^/]+\.(?:service|scope))(?:/|$)")


def listening() -> list[dict[str, Any]]:
    """Return each listening TCP socket as {"port", "address", "process", "unit"}, by port."""
    sockets = {**_sockets("/proc/net/tcp"), **_sockets("/proc/net/tcp6")}
    holders = _holders(set(sockets))
    found = []
    for inode, (address, port) in sockets.items():
        process, unit = holders.get(inode, ("", ""))
        found.append({"port": port, "address": address, "process": process, "unit": unit})
    return sorted(found, key=lambda entry: (entry["port"], entry["address"]))


def _sockets(path: str) -> dict[str, tuple[str, int]]:
    try:
        with open(path, encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
    except OSError:
        return {}
    return {row[9]: _address(row[1]) for row in rows if row[3] == _LISTEN}


def _address(text: str) -> tuple[str, int]:
    """Read `0100007F:1F90`: words of four bytes in the byte order of the machine."""
    address, _, port = text.partition(":")
    words = struct.pack(f"={len(address) // 8}I", *(int(address[i : i + 8], 16) for i in range(0, len(address), 8)))
    family = socket.AF_INET if len(words) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, words), int(port, 16)


def _holders(inodes: set[str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for folder in sorted(glob.glob("/proc/[0-9]*"), key=lambda path: int(path[6:])):
        try:
            links = [os.readlink(entry.path) for entry in os.scandir(folder + "/fd")]
        except OSError:  # ended meanwhile
            continue
        for link in links:
            inode = link[8:-1] if link.startswith("socket:[") else ""
            if inode in inodes and inode not in found:
                found[inode] = (_read(folder + "/comm"), _unit(folder))
    return found


def _unit(folder: str) -> str:
    match = _UNIT.search(_read(folder + "/cgroup"))
    return match[1] if match else ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
