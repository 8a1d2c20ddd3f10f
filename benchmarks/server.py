"""What a ship costs the server: samples of the agent's and the machine's memory, taken inside the practice server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shipper.engine import connect

# Runs in the server until its standard input ends. The agent is the process of root that was started with the
# bootstrap; VmHWM is its peak, kept by the kernel (proc(5)). The memory of the machine is that of its control group.
_SAMPLER = """
import glob, json, os, select, sys, time
peaks = {"agent": 0, "server": 0}
def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
def own_group():
    for line in read("/proc/1/cgroup").decode().splitlines():
        if ":memory:" in line:
            path = "/sys/fs/cgroup/memory" + line.split(":", 2)[2]
            return path[: -len("/init.scope")] if path.endswith("/init.scope") else path
    return "/sys/fs/cgroup"
group = own_group()
while True:
    for folder in glob.glob("/proc/[0-9]*"):
        command = read(folder + "/cmdline")
        agent = b"b64decode" in command and not command.startswith((b"sudo", b"sh"))
        if agent and folder != "/proc/%d" % os.getpid():
            for line in read(folder + "/status").splitlines():
                if line.startswith(b"VmHWM:"):
                    peaks["agent"] = max(peaks["agent"], int(line.split()[1]) * 1024)
    for line in read(group + "/memory.stat").splitlines():
        if line.startswith((b"total_rss ", b"anon ")):
            peaks["server"] = max(peaks["server"], int(line.split()[1]))
    kills = [line for line in (read(group + "/memory.oom_control") + read(group + "/memory.events")).splitlines()
             if line.startswith(b"oom_kill ")]
    peaks["killed"] = int(kills[0].split()[1]) if kills else 0
    with open("/tmp/peaks.new", "w") as file:
        json.dump(peaks, file)
    os.replace("/tmp/peaks.new", "/tmp/peaks.json")
    if os.path.exists("/tmp/peaks.stop"):
        break
    time.sleep(0.01)
"""


@dataclass
class Peaks:
    """The highest values that were seen, in bytes, and how many processes the kernel killed for memory."""

    agent: int = 0
    server: int = 0
    killed: int = 0


@contextmanager
def watched_memory(name: str) -> Iterator[Peaks]:
    """Watch the practice server's memory for the length of the block; the peaks are complete when it ends."""
    peaks = Peaks()
    with connect() as client:
        container = client.containers.get(name)
        container.exec_run(["rm", "-f", "/tmp/peaks.stop", "/tmp/peaks.json"])
        watcher = threading.Thread(target=container.exec_run, args=[["python3", "-c", _SAMPLER]])
        watcher.start()
        try:
            yield peaks
        finally:
            container.exec_run(["touch", "/tmp/peaks.stop"])
            watcher.join()
        found = json.loads(container.exec_run(["cat", "/tmp/peaks.json"]).output)
    assert found["agent"], "no agent was ever seen"
    peaks.agent, peaks.server, peaks.killed = found["agent"], found["server"], found["killed"]
