"""An app whose image is as heavy as a Python app's with its dependencies, the same bytes on every machine.

The dependencies are made up: half of their bytes are like sources, half like compiled extensions. With gzip they get
2.6 times smaller; what pip installs gets 2.5 to 3.5 times smaller.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from shipper.archive import tar_of
from shipper.build.image import ImageBuild, Recipe, build_image
from shipper.engine import connect
from shipper.events import discard
from shipper.sandbox.image import ensure_base

APP = Path(__file__).parent / "app"
_PYTHON, _DEPENDENCIES = "shipper-bench/python:1", "shipper-bench/dependencies-1"
# Passed on to all images made from these.
LABEL = "shipper.benchmark"
_PYTHON_RECIPE = """
ARG BASE
FROM ${BASE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-minimal libpython3-stdlib \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
"""
_CODE_BYTES = 1_000_000
_LEAST_DEPENDENCIES = 1_000_000
_PLACE = "usr/lib/python3/dist-packages"
# The sizes of files below site-packages, about: many small sources, a few extensions.
_SOURCE_BYTES, _EXTENSION_BYTES = 12_000, 600_000
_PICTURE_BYTES = 60_000
_LETTERS = "etaoinshrdlucmfwypvbgkjqxz_"


class Matter:
    """Made-up file contents; `seed` decides about all of them."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        words = [self._word() for _ in range(20_000)]
        rare = list(accumulate(1 / (rank + 8) for rank in range(len(words))))
        self._lines = [self._line(words, rare) for _ in range(60_000)]
        self._line_weights = list(accumulate(1 / (rank + 10) for rank in range(len(self._lines))))
        self._codes = [self._chance.randbytes(self._chance.randint(2, 7)) for _ in range(4000)]
        self._code_weights = list(accumulate(1 / (rank + 1) for rank in range(len(self._codes))))

    def source(self, size: int) -> bytes:
        """Return about `size` bytes that are like a program's text."""
        return b"".join(self._chance.choices(self._lines, cum_weights=self._line_weights, k=1 + size // 54))

    def extension(self, size: int) -> bytes:
        """Return about `size` bytes that are like machine code."""
        return b"".join(self._chance.choices(self._codes, cum_weights=self._code_weights, k=1 + size * 10 // 39))

    def about(self, size: int) -> int:
        """Return a number between a tenth of `size` and four times it, `size` on average, small ones more often."""
        return int(size * min(4.0, max(0.1, self._chance.lognormvariate(-0.5, 1.0))))

    def _word(self) -> bytes:
        length = self._chance.randint(2, 12)
        return "".join(self._chance.choices(_LETTERS, weights=range(len(_LETTERS), 0, -1), k=length)).encode()

    def _line(self, words: list[bytes], weights: list[float]) -> bytes:
        indent = b"    " * self._chance.randrange(4)
        return (
            indent + b" ".join(self._chance.choices(words, cum_weights=weights, k=self._chance.randint(1, 11))) + b"\n"
        )


class HeavyApp:
    """A copy of benchmarks/app in a repository of its own, whose image takes about `size` bytes unpacked."""

    def __init__(self, root: Path, size: int) -> None:
        self.root = root
        shutil.copytree(APP, root)
        (root / ".gitignore").write_text(".env*\n.shipper/\n", encoding="utf-8")
        (root / "api/.dockerignore").write_text("Dockerfile\n.dockerignore\n", encoding="utf-8")
        matter = Matter(2)
        kinds = {"py": (matter.source, _SOURCE_BYTES), "dat": (matter.extension, _PICTURE_BYTES)}
        for number, (name, content) in enumerate(_files(matter, _CODE_BYTES, kinds)):
            file = root / "api/shop" / f"{number}-{Path(name).name}"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        with connect() as client:
            base = _dependencies(client, size)
            engine = client.version()
            self._platform = f"{engine['Os']}/{engine['Arch']}"
        self._base = base
        self._write("ship.toml", f'\n[backend.image]\nargs = {{ BASE = "{base}" }}\n')
        who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "a heavy app"]):
            subprocess.run(["git", *words], cwd=root, check=True)

    def add_target(self, name: str, port: int, user: str, key: Path, host_key: str, url: str) -> None:
        """Describe a server on this machine as a target, with an env file."""
        self._write(
            "ship.toml",
            f"\n[targets.{name}]\nhost = '127.0.0.1'\nport = {port}\nuser = '{user}'\nkey = '{key}'\n"
            f"host_key = '{host_key}'\nurl = '{url}'\ndomain = '127.0.0.1'\nenv_file = '.env.{name}'\n",
        )
        self._write(f".env.{name}", "GREETING=hello\n")

    def change(self, version: str) -> None:
        """Change the one line of the code that says which version it is."""
        file = self.root / "api/main.py"
        lines = [
            f'VERSION = "{version}"' if line.startswith("VERSION = ") else line
            for line in file.read_text(encoding="utf-8").splitlines()
        ]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def build(self, tag: str) -> ImageBuild:
        """Build the image as shipper does, from the same recipe, so that it has the same layers."""
        folder = self.root / "api"
        return build_image(
            Recipe(folder, folder / "Dockerfile", "", {"BASE": self._base}), self._platform, tag, discard
        )

    def _write(self, path: str, text: str) -> None:
        with (self.root / path).open("a", encoding="utf-8") as file:
            file.write(text)


def _dependencies(client: Any, size: int) -> str:
    """Return the tag of an image with Python and dependencies, which takes about `size` bytes with the code."""
    from docker.errors import ImageNotFound

    _build(client, _PYTHON, {"Dockerfile": _PYTHON_RECIPE.encode()}, {"BASE": ensure_base(client, discard)})
    wanted = max(_LEAST_DEPENDENCIES, size - client.images.get(_PYTHON).attrs["Size"] - _CODE_BYTES)
    tag = f"{_DEPENDENCIES}:{wanted}"
    try:
        client.images.get(tag)
    except ImageNotFound:
        recipe = f"FROM {_PYTHON}\nLABEL {LABEL}=1\nADD dependencies.tar /{_PLACE}/\n".encode()
        matter = Matter(1)
        kinds = {"py": (matter.source, _SOURCE_BYTES), "so": (matter.extension, _EXTENSION_BYTES)}
        packed = tar_of(dict(_files(matter, wanted, kinds))).getvalue()
        _build(client, tag, {"Dockerfile": recipe, "dependencies.tar": packed}, {})
    return tag


def _files(
    matter: Matter, size: int, kinds: Mapping[str, tuple[Callable[[int], bytes], int]]
) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of files of `size` bytes together, as many bytes of each kind."""
    for kind, (make, usual) in kinds.items():
        left = size // len(kinds)
        for number in range(left):
            content = make(matter.about(usual))[:left]
            yield f"package{number % 97}/module{number}.{kind}", content
            left -= len(content)
            if not left:
                break


def _build(client: Any, tag: str, files: dict[str, bytes], arguments: dict[str, str]) -> None:
    archive = tar_of(files)
    client.images.build(fileobj=archive, custom_context=True, tag=tag, buildargs=arguments, rm=True)
