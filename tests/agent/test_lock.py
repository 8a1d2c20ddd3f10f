"""The lock between two processes: the second is told who holds it, and a killed holder holds nothing (U9)."""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from server import Client, make_layout

from shipper.agent import lock
from shipper.agent.channel import Channel
from shipper.agent.errors import AgentError

HOLD = """
import io, sys
from shipper.agent import lock
from shipper.agent.channel import Channel
from shipper.agent.layout import Layout
holder = {"who": "kim@laptop", "author": "Kim <kim@example.com>", "run": "https://ci.example.com/7"}
lock.take(Layout("shop", base=sys.argv[1]), holder, "shipping", Channel(io.BytesIO(), io.BytesIO()))
print("held", flush=True)
sys.stdin.read()
"""
LEE = {"who": "lee@desktop"}


def test_the_lock_names_its_holder_and_is_free_once_that_was_killed(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    argv = [sys.executable, "-c", HOLD, os.path.dirname(layout.root)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        client = Client()
        with pytest.raises(AgentError, match=r"kim@laptop is changing shop right now \(shipping\)") as refused:
            lock.take(layout, LEE, "shipping", client.channel)
        assert refused.value.kind == "lock"
        for words in (f"process {holder.pid}", "Kim <kim@example.com>", "https://ci.example.com/7"):
            assert words in refused.value.why
        seen = lock.holder(layout)
        assert seen is not None
        assert (seen["who"], seen["gone"]) == ("kim@laptop", False)
        assert 0 <= seen["age"] < 60
        holder.kill()
    lock.take(layout, LEE, "shipping", client.channel)
    (told,) = client.said
    assert "Took over the lock of kim@laptop" in told["event"]["text"]
    assert "was killed" in told["event"]["text"]
    lock.take(layout, LEE, "again is nothing", client.channel)
    lock.release(layout)
    assert lock.holder(layout) is None
    lock.take(layout, LEE, "shipping", client.channel)
    assert len(client.said) == 1, "who ended in order leaves nothing to take over"
    lock.release(layout)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"who": 7, "since": "x"}', b"\0" * 40])
def test_whatever_is_in_the_file_the_kernel_decides(tmp_path: Path, text: bytes) -> None:
    layout = make_layout(tmp_path)
    Path(layout.lock).write_bytes(text)
    assert lock.holder(layout) is None or "gone" in (lock.holder(layout) or {})
    lock.take(layout, LEE, "shipping", Client().channel)
    lock.release(layout)


def test_a_client_that_leaves_is_known_at_once_to_those_who_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_BEAT_SECONDS", 3600.0)  # not by the next beat
    layout = make_layout(tmp_path)
    ours, theirs = os.pipe()
    channel = Channel(os.fdopen(ours, "rb"), io.BytesIO())
    channel.start()
    lock.take(layout, LEE, "shipping", channel)
    assert (lock.holder(layout) or {})["client"] == "here"
    os.close(theirs)
    deadline = time.monotonic() + 60
    while (lock.holder(layout) or {})["client"] != "gone":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    lock.release(layout)


LEFT = b'{"who": "kim@laptop", "process": 0, "reason": "shipping"}'


@pytest.mark.parametrize("text", [b"", LEFT], ids=["free", "left by one that was killed"])
def test_who_only_looks_at_the_lock_does_not_hold_it(tmp_path: Path, text: bytes) -> None:
    layout = make_layout(tmp_path)
    Path(layout.lock).write_bytes(text)  # what a killed holder left is what somebody looks at
    looking = os.open(layout.lock, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)  # as `inv lock.show` does for a moment
    threading.Timer(0.1, os.close, [looking]).start()
    lock.take(layout, LEE, "shipping", Client().channel)
    lock.release(layout)
