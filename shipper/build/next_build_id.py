"""Next's build id, taken from the fingerprint of the build's inputs: equal sources then give equal bytes.

With Next's random id nearly every file changes in every build; with a constant one open tabs do not notice a release.
"""

from __future__ import annotations

import re
from pathlib import Path

# Next's own ids are nanoids of this length. The same length matters: React's payload rows carry their length, and a
# build whose id was replaced by a shorter one never hydrates (React error 412).
_LENGTH = 21
_RANDOM_ID = re.compile(r"[A-Za-z0-9_-]{21}")
_PRELOAD = Path(__file__).with_name("next_build_id.cjs")


def build_id_of(fingerprint: str) -> str:
    """Return the build id for a fingerprint of hex digits: 21 characters, never with "ad" in them.

    Ad blockers hide addresses with "ad", which is why Next draws again when its random id has it.
    """
    return fingerprint[:_LENGTH].replace("d", "x")


def preload_environment(build_id: str, node_options: str) -> dict[str, str]:
    """Return the variables that make `next build` use `build_id`, with the user's own NODE_OPTIONS kept."""
    preload = _PRELOAD.as_posix().replace('"', '\\"')
    return {
        "SHIPPER_NEXT_BUILD_ID": build_id,
        "NODE_OPTIONS": f'{node_options} --require "{preload}"'.strip(),
    }


def settle_build_id(site: Path, build_id: str) -> None:
    """Replace the random id of an exported site by `build_id`, in all files and folder names, where Next drew one.

    Does nothing when the preload worked, and leaves an id that the user's `generateBuildId` made: a random one is
    recognised by its form.
    """
    for found in _published_ids(site):
        if found != build_id and _RANDOM_ID.fullmatch(found):
            _replace_everywhere(site, found.encode(), build_id.encode())


def _published_ids(site: Path) -> list[str]:
    return [manifest.parent.name for manifest in site.glob("_next/static/*/_buildManifest.js")]


def _replace_everywhere(site: Path, old: bytes, new: bytes) -> None:
    # The deepest first: a folder is renamed when everything in it has been.
    for path in sorted(site.rglob("*"), key=lambda path: len(path.parts), reverse=True):
        if path.is_file():
            content = path.read_bytes()
            if old in content:
                path.write_bytes(content.replace(old, new))
        if old.decode() in path.name:
            path.rename(path.with_name(path.name.replace(old.decode(), new.decode())))
