"""Notices that something was written, through watchdog: which paths, and when. What is in them is not its business."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserverVFS

from shipper.errors import ConfigError
from shipper.watch.files import may_count
from shipper.watch.places import Place, ignored_folders, is_skipped, places_of

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

# Editors write a file in several strokes, and a checkout writes hundreds: it is over when nothing came for a while.
QUIET_SECONDS = 0.15
# Somebody who never stops writing (a log that git does not ignore) does not hold everybody else up.
_LONGEST_SECONDS = 1.0
_POLL_SECONDS = 1.0
# Reading a file is an event, too, and shipper itself reads them all.
_WRITES = frozenset({"created", "modified", "deleted", "moved", "closed"})


class Saves(FileSystemEventHandler):
    """The paths below a folder that were written since they were last asked for, each with the moment (monotonic)."""

    def __init__(self, root: Path, *, polling: bool, wake: threading.Event) -> None:
        # As the events name it: on macOS /tmp is a link, and so may be a home.
        self._root = root.resolve()
        self._polling = polling
        self._wake = wake
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        self._last = 0.0
        self._replaced: set[Path] = set()
        self._watches: dict[Place, Any] = {}
        self._observer: BaseObserver = self._make_observer()

    def _make_observer(self) -> BaseObserver:
        if not self._polling:
            return Observer()
        ignored = ignored_folders(self._root)

        def listed(path: str | None) -> Iterator[os.DirEntry[str]]:
            with os.scandir(path) as entries:
                yield from (entry for entry in entries if not is_skipped(entry.path, ignored))

        return PollingObserverVFS(os.stat, listed, polling_interval=_POLL_SECONDS)

    def __enter__(self) -> Saves:
        self._observer.start()
        try:
            self.renew()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._observer.stop()
        self._observer.join()

    def renew(self) -> None:
        """Listen to the folders that are there now; one that was removed and made again is another one.

        Raises ConfigError when the system does not let anybody listen to so many.
        """
        with self._lock:
            replaced, self._replaced = self._replaced, set()
        wanted = frozenset({Place(self._root, True)}) if self._polling else places_of(self._root)
        for place in list(self._watches):
            if place not in wanted or any(place.folder.is_relative_to(folder) for folder in replaced):
                self._observer.unschedule(self._watches.pop(place))
        for place in wanted - self._watches.keys():
            try:
                self._watches[place] = self._observer.schedule(self, str(place.folder), recursive=place.recursive)
            except FileNotFoundError:  # gone meanwhile; its parent's event comes
                continue
            except OSError as error:
                raise ConfigError(
                    "This system does not let anybody listen to so many folders.",
                    why=str(error),
                    fix="inv watch --poll   (looks every second instead), or raise fs.inotify.max_user_watches",
                ) from None

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Keep the paths of an event that may count."""
        if event.event_type not in _WRITES or (event.is_directory and event.event_type == "modified"):
            return
        now = time.monotonic()
        for raw in (event.src_path, event.dest_path):
            path = Path(os.fsdecode(raw)) if raw else None
            if path is None or not path.is_relative_to(self._root) or path == self._root:
                continue
            relative = path.relative_to(self._root)
            if not may_count(relative):
                continue
            with self._lock:
                self._last = now
                self._seen.setdefault(relative.as_posix(), now)
                if event.is_directory:
                    self._replaced.add(path)
            self._wake.set()

    @property
    def settled(self) -> bool:
        """Whether something was written and it seems to be over."""
        with self._lock:
            if not self._seen:
                return False
            now = time.monotonic()
            return now - self._last >= QUIET_SECONDS or now - min(self._seen.values()) >= _LONGEST_SECONDS

    @property
    def pending(self) -> bool:
        """Whether something was written that nobody asked for yet."""
        with self._lock:
            return bool(self._seen)

    def take(self) -> dict[str, float]:
        """Return what was written since the last time; from now on its folders are listened to as they are now."""
        with self._lock:
            seen, self._seen = self._seen, {}
            folders = bool(self._replaced)
        if folders:
            self.renew()
        return seen
