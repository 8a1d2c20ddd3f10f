"""What a ship costs the server: samples of the agent's and the machine's memory, taken inside the practice server, and
what lies on its disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shipper.engine import connect

# Runs in the server until it finds the file that says stop. The agent is the process of root that was started with the
# bootstrap; VmHWM is its peak, kept by the kernel (proc(5)). The memory of the machine is that of its control group.
_SAMPLER = """
import glob, json, os, sys, time
pause = float(sys.argv[1])
peaks = {"agent": 0, "killed": 0, "samples": []}
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
            peaks["samples"].append((time.time(), int(line.split()[1])))
    kills = [line for line in (read(group + "/memory.oom_control") + read(group + "/memory.events")).splitlines()
             if line.startswith(b"oom_kill ")]
    peaks["killed"] = int(kills[0].split()[1]) if kills else 0
    open("/tmp/peaks.begun", "w").close()
    if os.path.exists("/tmp/peaks.stop"):
        break
    time.sleep(pause)
print(json.dumps(peaks))
"""

# Of the engine, with either store of images; of Debian's registry; of apps.
_DISK = "/var/lib/docker /var/lib/containerd /var/lib/registry /srv"


@dataclass
class Peaks:
    """What was seen: the agent's peak in bytes, 0 without one, and how many processes the kernel killed for memory.

    `samples` are the server's memory in bytes, each with the time (time.time()) at which it was looked at.
    """

    agent: int = 0
    killed: int = 0
    samples: list[tuple[float, int]] = field(default_factory=list)

    @property
    def server(self) -> int:
        """The highest of the server's values."""
        return max(value for _, value in self.samples)

    def rise(self, begun: float, ended: float) -> int:
        """Return how far the server's value rose above its first between two times."""
        _, first = self.samples[0]
        return max(value for moment, value in self.samples if begun <= moment <= ended) - first


@contextmanager
def watched_memory(name: str, pause: float = 0.01) -> Iterator[Peaks]:
    """Watch the practice server's memory for the length of the block; the peaks are complete when it ends.

    `pause` is in seconds: looking takes the server's time, too.
    """
    peaks = Peaks()
    with connect() as client, ThreadPoolExecutor(1) as pool:
        container = client.containers.get(name)
        container.exec_run(["rm", "-f", "/tmp/peaks.stop", "/tmp/peaks.begun"])
        watcher = pool.submit(container.exec_run, ["python3", "-c", _SAMPLER, str(pause)])
        container.exec_run(["sh", "-c", "until [ -e /tmp/peaks.begun ]; do sleep 0.02; done"])
        try:
            yield peaks
        finally:
            container.exec_run(["touch", "/tmp/peaks.stop"])
        found = json.loads(watcher.result().output)
    for key, value in found.items():
        setattr(peaks, key, value)


def begin_peak() -> int:
    """Forget the peak of this process's own memory, and return what it holds now, in bytes (proc(5): clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak()


def peak() -> int:
    """Return the peak of this process's own memory, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def run_on(name: str, *argv: str) -> str:
    """Run a command as root in the practice server, past its ssh; return what it prints."""
    with connect() as client:
        code, output = client.containers.get(name).exec_run(list(argv))
    text = bytes(output).decode("utf-8", "replace")
    assert code == 0, f"{argv}: {text}"
    return text


def disk_used(name: str) -> int:
    """Return the bytes that images, apps and a registry take on the practice server's disk, as allocated by it."""
    # One file system: mounted layers show the files of images a second time.
    command = f"du --one-file-system --summarize --block-size=1 --total {_DISK} 2>/dev/null"
    counted = run_on(name, "sh", "-c", f"{command} || true")  # it minds that one of them is not there
    return int(counted.splitlines()[-1].split()[0])
