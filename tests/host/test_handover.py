"""A first image travels while the engine still compresses it: no piece in vain, none before it was looked through."""

from __future__ import annotations

import dataclasses
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Exec
from corner import Corner
from network import Network
from test_ship_failures import start_ship, wait_until_idle

from shipper.archive import tar_of
from shipper.build.image import ImageBuild
from shipper.config.check import Allow, Check
from shipper.config.project import Project, Workspace
from shipper.deliver.pieces import PIECE_BYTES, tree_of
from shipper.deliver.registry import open_registry
from shipper.engine import connect
from shipper.errors import FindingsError, HostError
from shipper.events import discard
from shipper.limit import Limit
from shipper.pipeline.handover import Handover

# Nothing of it is shared with an image that another test removes at that moment.
RECIPE = "FROM scratch\nLABEL name={name}\nCOPY lower /app/lower\nCOPY upper /app/upper\n"


@contextmanager
def made(files: dict[str, bytes]) -> Iterator[ImageBuild]:
    """Make an image of two layers from the folders `lower` and `upper`."""
    name = f"shipper-test/handed:{secrets.token_hex(4)}"
    recipe = tar_of({"Dockerfile": RECIPE.format(name=name).encode(), **files})
    with connect() as client:
        image, _ = client.images.build(fileobj=recipe, custom_context=True, tag=name, rm=True)
        try:
            yield ImageBuild(image.id, tuple(image.attrs["RootFS"]["Layers"]), 1, (1, 1), "linux/amd64", 0.0)
        finally:
            client.images.remove(name)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "site").mkdir()
    project = Project.model_validate({"name": "handed", "frontend": {"path": "site", "preset": "static"}})
    return Workspace(tmp_path, project)


def test_pieces_are_offered_before_the_end_and_are_what_the_image_is_made_of(workspace: Workspace) -> None:
    files = {"lower/noise": os.urandom(5 * PIECE_BYTES), "upper/noise": os.urandom(3 * PIECE_BYTES)}
    with made(files) as build, open_registry(workspace.cache / "images") as registry:
        handover = Handover(build, "handed", registry, workspace, early=True)
        handover.begin(discard)
        early = [piece for offer in handover.offers(Limit.begin("image", 600)) for piece in offer.files]
        whole = {piece.value: piece.size for piece in tree_of(handover.pushed.blobs).files}
        assert early
        assert {piece.value for piece in early} <= set(whole)
        assert set(whole) - {piece.value for piece in handover.offered.files} == {
            tree_of(handover.pushed.blobs[:1]).entries[0].value
        }, "all but the configuration, which is made at the end"
        handover.close()
        assert not [file for file in registry.folder.iterdir() if file.suffix in (".partial", ".followed")]


def test_nothing_leaves_of_a_layer_from_shortly_before_a_secret_on(workspace: Workspace) -> None:
    noise = {f"upper/{number:02}": os.urandom(PIECE_BYTES) for number in range(8)}
    files = {"lower/noise": os.urandom(2 * PIECE_BYTES), **noise, "upper/04.pem": key(), "upper/.env": b"A=1\n"}
    with made(files) as build, open_registry(workspace.cache / "images") as registry:
        handover = Handover(build, "handed", registry, workspace, early=True)
        handover.begin(discard)
        with pytest.raises(FindingsError) as told:
            _ = handover.pushed
        assert {finding.path for finding in told.value.findings} == {"/app/upper/04.pem", "/app/upper/.env"}
        offered = [piece for piece in handover.offered.files if piece.source]
        secret = [piece for piece in offered if key() in _content(piece.source, piece.offset, piece.size)]
        assert offered, "of the layer without a secret"
        assert secret == []
        handover.close()


def test_where_files_cannot_be_linked_all_of_it_waits_for_the_end(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)  # as on exFAT
    with made({"lower/a": b"a", "upper/b": b"b"}) as build, open_registry(workspace.cache / "images") as registry:
        handover = Handover(build, "handed", registry, workspace, early=True)
        handover.begin(discard)
        assert len(handover.pushed.layers) == 2
        assert handover.offered.entries == ()
        handover.close()


def test_what_is_allowed_travels_in_the_end(workspace: Workspace) -> None:
    allowed = Allow(path="/app/upper/.env", rule="image-layer", reason="an example that everybody may have")
    project = workspace.project.model_copy(update={"check": Check(allow=(allowed,))})
    with (
        made({"lower/a": b"a", "upper/.env": b"A=1\n"}) as build,
        open_registry(workspace.cache / "images") as registry,
    ):
        handover = Handover(build, "handed", registry, dataclasses.replace(workspace, project=project), early=True)
        handover.begin(discard)
        assert len(handover.pushed.layers) == 2
        handover.close()


def test_an_engine_that_hands_nothing_over_is_waited_for_as_long_as_the_step_may_take(workspace: Workspace) -> None:
    silent = ImageBuild("sha256:" + "0" * 64, (), 1, (1, 1), "linux/amd64", 0.0)
    with open_registry(workspace.cache / "images") as registry:
        handover = Handover(silent, "handed", registry, workspace, early=True)  # nobody lets it begin
        with pytest.raises(HostError, match=r"The step image had not ended after 0\.1 seconds"):
            list(handover.offers(Limit.begin("image", 0.1)))


def test_a_first_ship_that_was_cut_goes_on_by_itself_and_sends_nothing_twice(gig: Corner) -> None:
    size = 10 * PIECE_BYTES
    (gig.root / "api/noise").write_bytes(os.urandom(size))
    gig.edit("api/Dockerfile", "COPY main.py migrate.py ./", "COPY main.py migrate.py noise ./")
    with Network(gig.sandbox.ssh_port) as network:
        gig.add_far_target(network.port)
        network.break_after(size // 2)
        ended = gig.shipper("ship", "--yes", "--to", "far")
        assert ended.code == 0, ended.output
        assert "Connecting again; what arrived stays." in ended.output
        others = sum(file.stat().st_size for file in (gig.root / ".shipper/images").iterdir()) - size
        assert network.sent < size + others + 3 * PIECE_BYTES


def test_a_first_ship_whose_client_was_killed_is_gone_on_with_by_one_that_has_nothing_compressed_yet(
    gig: Corner, sandbox_exec: Exec
) -> None:
    size = 10 * PIECE_BYTES
    (gig.root / "api/noise").write_bytes(os.urandom(size))
    gig.edit("api/Dockerfile", "COPY main.py migrate.py ./", "COPY main.py migrate.py noise ./")
    with Network(gig.sandbox.ssh_port) as network:
        gig.add_far_target(network.port)
        client = start_ship(gig, "--to", "far")
        deadline = time.monotonic() + 120
        while network.sent < size // 2:
            assert client.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        client.kill()
        client.communicate()
        wait_until_idle(gig, sandbox_exec)
        listed = sandbox_exec(["find", "/srv/gig/store", "-type", "f", "-size", "+1M", "-printf", "%s %p\\n"])[1]
        # A piece at the end of a layer is a smaller one.
        arrived = sorted((int(size), file) for size, file in map(str.split, listed.splitlines()))
        assert len(arrived) >= 3
        (_, victim), *intact = arrived
        damaged = ["dd", "if=/dev/zero", f"of={victim}", "conv=notrunc", "bs=1", "seek=1000", "count=100"]
        assert sandbox_exec(damaged)[0] == 0
        shutil.rmtree(gig.root / ".shipper/images")

        before = network.sent
        ended = gig.shipper("ship", "--yes", "--to", "far")
        assert ended.code == 0, ended.output
        whole = sum(file.stat().st_size for file in (gig.root / ".shipper/images").iterdir())
        again = network.sent - before - (whole - sum(size for size, _ in intact))
        assert again < PIECE_BYTES // 2, "of what had arrived only the damaged piece is sent again"
        assert sandbox_exec(["find", "/srv/gig/store", "-type", "f", "-size", "+1M"])[1] == ""


def key() -> bytes:
    return b"-----BEGIN " + b"RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n"


def _content(file: Path | None, offset: int, size: int) -> bytes:
    assert file is not None
    with file.open("rb") as content:
        content.seek(offset)
        return content.read(size)
