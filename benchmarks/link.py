"""A slow line to a server that anybody can have: a relay of TCP connections, in user space, on every system.

What it models, for each direction: a rate that all connections share, with the headers of Ethernet, IP and TCP around
every segment; a delay, which every byte has, however few travel; the handshake, a round trip before the client may
speak; and how much a sender may have under way before it hears from the other end: ten segments at the start and after
a pause (RFC 6928, RFC 5681), more with all that arrives, at most (but for those ten) what fills the line and the buffer
of a router as deep as it. A receiver that does not read holds its sender back.

What it does not model: loss and what follows from it, changing delays, other people's traffic, and the place that the
confirmations of one direction take in the other (about a fiftieth of what they confirm). A sender with Nagle's
algorithm would wait for confirmations on a real line, which are at hand at once here; ssh and shipper switch it off.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

LOOPBACK = "127.0.0.1"
# The payload of a full segment on Ethernet, and the headers around it (14 bytes Ethernet, 20 IP, 32 TCP with times).
SEGMENT = 1448
_HEADERS = 66
# Shorter than two milliseconds at 50 Mbit/s: a piece arrives when its last byte does.
_PIECE_BYTES = 8 * SEGMENT
_FIRST_WINDOW = 10 * SEGMENT
# What Linux adds to the round trip before it takes a sender for idle: its shortest retransmission timeout.
_IDLE_SECONDS = 0.2
# What waits in the relay's own sockets would wait in the sender's on a real line; few of it keeps both alike.
_SOCKET_BYTES = 1 << 16


class Wire:
    """One direction of the line. `rate` is in bits per second, `delay` in seconds.

    `carried` counts the payload in bytes; `busy_until` is when the last piece arrives that fills a segment, which
    messages do not. `turns` counts how often somebody spoke who had waited for at least a round trip and had heard
    something from the other direction by then: the round trips that a talk had to wait for.
    """

    def __init__(self, rate: float, delay: float, other: Wire | None = None) -> None:
        self.rate = rate
        self.delay = delay
        self.carried = 0
        self.busy_until = 0.0
        self.turns = 0
        self.delivered = 0.0
        self._free = 0.0
        self._other = other
        self._spoke = 0.0

    def send(self, size: int, now: float) -> float:
        """Return when the last of `size` bytes arrives that stand at the beginning of the line at the time `now`."""
        if self._other and self._other.delivered > self._spoke and now - self._spoke >= 2 * self.delay:
            self.turns += 1
        self._spoke = now
        segments = -(-size // SEGMENT)
        self.carried += size
        self._free = max(self._free, now) + (size + segments * _HEADERS) * 8 / self.rate
        arrives = self._free + self.delay
        if size >= SEGMENT:
            self.busy_until = arrives
        return arrives


class Window:
    """How many bytes one sender of one connection may have under way, as in TCP without loss. `most` is in bytes."""

    def __init__(self, most: int, round_trip: float) -> None:
        self._most = max(most, _FIRST_WINDOW)
        self._idle = round_trip + _IDLE_SECONDS
        self._size = _FIRST_WINDOW
        self._under_way = 0
        self._used = False
        self._last = 0.0

    @property
    def room(self) -> int:
        """How many bytes more may be sent; after a pause it is known with the first ones, which always may."""
        return self._size - self._under_way

    def send(self, size: int, now: float) -> None:
        """Take note that so many bytes were sent at the time `now`."""
        if not self._under_way and now - self._last > self._idle:
            self._size = _FIRST_WINDOW
        self._under_way += size
        self._used = 2 * self._under_way > self._size
        self._last = now

    def confirm(self, size: int) -> None:
        """Take note that the other end has said that so many bytes arrived.

        As many more may be sent at a time, if the sender made use of what it had (as Linux sees it: of half of it).
        """
        if self._used:
            self._size = min(self._size + size, self._most)
        self._under_way -= size


class Link:
    """A context: both directions of the line, and the doors to it on this machine.

    `round_trip` is in seconds, `rate` in bits per second, for each direction.
    """

    def __init__(self, round_trip: float = 0.04, rate: float = 50e6) -> None:
        self.round_trip = round_trip
        self.rate = rate
        self._down = Wire(rate, round_trip / 2)
        self._up = Wire(rate, round_trip / 2, self._down)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def sent(self) -> int:
        """The bytes that clients have sent, in all of their connections."""
        return self._up.carried

    @property
    def received(self) -> int:
        """The bytes that clients were sent."""
        return self._down.carried

    @property
    def turns(self) -> int:
        """How many round trips clients have waited for."""
        return self._up.turns

    @property
    def busy_until(self) -> float:
        """When the last bytes from a client arrived that were more than a message, by time.monotonic()."""
        return self._up.busy_until

    def door(self, port: int) -> int:
        """Return a port of this machine that leads over the line to another `port` of it."""
        listener = socket.create_server((LOOPBACK, 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)
        listener.setblocking(False)
        self._loop.call_soon_threadsafe(self._begin, self._accept(listener, port))
        return int(listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)  # the loop itself only keeps a weak reference
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket, port: int) -> None:
        with listener:
            while True:
                near, _ = await self._loop.sock_accept(listener)
                near.setblocking(False)
                self._begin(self._connect(near, port))

    async def _connect(self, near: socket.socket, port: int) -> None:
        """Carry one connection: the client may speak after a round trip, the server hears of it half a one later."""
        await asyncio.sleep(self.round_trip)
        here: asyncio.Future[socket.socket] = self._loop.create_future()
        here.set_result(near)
        there = self._loop.create_task(self._open(port))
        up, down = self._carry(here, there, self._up), self._carry(there, here, self._down)
        try:
            await asyncio.gather(up, down, return_exceptions=True)
        finally:  # also when the line itself is taken away
            near.close()
            with suppress(OSError):
                (await there).close()

    async def _open(self, port: int) -> socket.socket:
        await asyncio.sleep(self.round_trip / 2)
        far = socket.socket()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)
        far.setblocking(False)
        await self._loop.sock_connect(far, (LOOPBACK, port))
        return far

    async def _carry(self, source: Awaitable[socket.socket], sink: Awaitable[socket.socket], wire: Wire) -> None:
        """Carry one direction of one connection until its end, and pass that on, too."""
        flow = _Flow(self._loop, wire, Window(self._most_under_way(), self.round_trip))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(flow.take(source))
                group.create_task(flow.deliver(sink))
        except* OSError:  # one end is gone: so is the connection, for the other direction as well
            for end in (source, sink):
                with suppress(OSError):
                    (await end).shutdown(socket.SHUT_RDWR)

    def _most_under_way(self) -> int:
        return int(2 * self.rate / 8 * self.round_trip)


class _Flow:
    """What is under way of one direction of one connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wire: Wire, window: Window) -> None:
        self._loop = loop
        self._wire = wire
        self._window = window
        self._confirmed = asyncio.Event()
        self._pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def take(self, source: Awaitable[socket.socket]) -> None:
        """Take what the sender has, as much as may be under way, and give it to the line; nothing is its end."""
        sender = await source
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b"."
        while data:
            while not (room := self._window.room):
                self._confirmed.clear()
                await self._confirmed.wait()
            data = await self._loop.sock_recv(sender, min(room, _PIECE_BYTES))
            now = self._loop.time()
            self._window.send(len(data), now)
            self._pieces.put_nowait((self._wire.send(len(data), now), data))

    async def deliver(self, sink: Awaitable[socket.socket]) -> None:
        """Give the receiver what has arrived; the sender hears of it when the confirmation has come back."""
        receiver = await sink
        data = b"."
        while data:
            moment, data = await self._pieces.get()
            await asyncio.sleep(moment - self._loop.time())
            if data:
                await self._loop.sock_sendall(receiver, data)
                self._wire.delivered = self._loop.time()
                self._loop.call_later(self._wire.delay, self._confirm, len(data))
        receiver.shutdown(socket.SHUT_WR)

    def _confirm(self, size: int) -> None:
        self._window.confirm(size)
        self._confirmed.set()
