"""How an image gets to the server: in pieces, going on where it was cut, from any engine, no more than needed."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import secrets
import signal
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Exec, wait_inside
from corner import Corner
from network import Network
from test_ship_failures import start_ship, wait_until_idle

from shipper.archive import tar_of
from shipper.deliver.export import export_here
from shipper.deliver.image import Pushed, push_here
from shipper.deliver.registry import Registry, open_registry
from shipper.engine import connect
from shipper.errors import BuildError

PIECE = 4 << 20
NO_FORWARDING = "echo AllowTcpForwarding no > /etc/ssh/sshd_config.d/none.conf && systemctl reload ssh"
AS_BEFORE = "rm /etc/ssh/sshd_config.d/none.conf && systemctl reload ssh"
FORGET_DIGESTS = (
    "systemctl stop docker.socket docker; rm -r /var/lib/docker/image/overlay2/distribution; "
    "systemctl start docker.socket"
)
PIECES = "find /srv/gig -type f -size +1M"


UNPACKED = "find /var/lib/docker/overlay2 -name lower-noise | grep -q ."


def stir(gig: Corner, lower: int, upper: int) -> None:
    """Give the image two layers that nobody has seen and that do not compress, of so many MiB."""
    (gig.root / "api/lower-noise").write_bytes(os.urandom(lower << 20))
    (gig.root / "api/upper-noise").write_bytes(os.urandom(upper << 20))
    old = "COPY main.py migrate.py ./"
    gig.edit("api/Dockerfile", old, f"COPY lower-noise ./\nCOPY upper-noise ./\n{old}")


def test_an_upload_that_was_cut_goes_on_near_its_end_and_leaves_nothing_behind(gig: Corner, sandbox_exec: Exec) -> None:
    # Another app's image, from a machine that compresses in another way: the same layers under other digests.
    sandbox_exec(["docker", "tag", "gig-database:1", "other:0123456789ab"])
    sandbox_exec(["sh", "-c", FORGET_DIGESTS])
    sandbox_exec(["sh", "-c", NO_FORWARDING])
    try:
        with Network(gig.sandbox.ssh_port) as network:
            gig.add_far_target(network.port)
            plan = gig.shipper("plan", "--to", "far")
            assert plan.code == 0, plan.output
            assert network.sent < 1 << 20, "a plan sends nothing"
            ended = gig.shipper("ship", "--yes", "--to", "far")
            assert ended.code == 0, ended.output
            assert "The server's engine wants 2 layers" in ended.output

            stir(gig, 8, 40)
            before = network.sent
            client = start_ship(gig, "--to", "far")
            deadline = time.monotonic() + 120
            while network.sent < before + (36 << 20):
                assert client.poll() is None and time.monotonic() < deadline
                time.sleep(0.01)
            # The lower layer is unpacked while the upper one is on its way.
            os.kill(client.pid, signal.SIGSTOP)
            assert wait_inside(sandbox_exec, UNPACKED)
            os.kill(client.pid, signal.SIGKILL)
            client.communicate()
            wait_until_idle(gig, sandbox_exec)
            arrived = sandbox_exec(["sh", "-c", PIECES])[1].split()
            assert len(arrived) >= 6
            sandbox_exec(["sh", "-c", f"printf damaged | dd of={arrived[0]} conv=notrunc seek=1000 bs=1"])

            before = network.sent
            ended = gig.shipper("ship", "--yes", "--to", "far")
            assert ended.code == 0, ended.output
            size = network.sent - before
            # The pieces that had arrived are not sent again, but for the damaged one.
            assert 0 <= size - ((48 << 20) - (len(arrived) - 1) * PIECE) < PIECE + (1 << 20)
            assert sandbox_exec(["sh", "-c", PIECES])[1] == ""
    finally:
        sandbox_exec(["docker", "rmi", "other:0123456789ab"])
        sandbox_exec(["sh", "-c", AS_BEFORE])


# Each of the two parts would fit: the pieces, and what the engine unpacks.
SHARED_DISK = """
systemctl stop docker.socket docker && mkdir -p /mnt/shared && mount -t tmpfs -o size=27m tmpfs /mnt/shared
mkdir /mnt/shared/docker /mnt/shared/gig && cp -a /srv/gig/. /mnt/shared/gig/
mount --bind /mnt/shared/docker /var/lib/docker && mount --bind /mnt/shared/gig /srv/gig
systemctl start docker.socket
"""
OWN_DISKS = """
systemctl stop docker.socket docker; umount /var/lib/docker /srv/gig /mnt/shared; systemctl start docker.socket
"""


def test_a_disk_that_releases_and_images_share_has_to_hold_both(gig: Corner, sandbox_exec: Exec) -> None:
    assert gig.shipper("plan").code == 0  # from then on it is known how many bytes the image is
    code, output = sandbox_exec(["sh", "-ec", SHARED_DISK])
    try:
        assert code == 0, output
        ended = gig.ship()
        assert sandbox_exec(["sh", "-c", PIECES])[1] == ""
    finally:
        code, output = sandbox_exec(["sh", "-c", OWN_DISKS])
    assert code == 0, output
    assert ended.code == 1, ended.output
    assert "does not fit on the disk" in ended.output
    assert "nothing was sent" in ended.output


RELAY = ["systemd-run", "--unit=far-engine", "--socket-property=ListenStream=2375"]


def test_an_engine_that_cannot_reach_this_machine_hands_the_image_over_as_a_file(
    gig: Corner, sandbox_exec: Exec
) -> None:
    code, output = sandbox_exec([*RELAY, "/lib/systemd/systemd-socket-proxyd", "/run/docker.sock"])
    assert code == 0, output
    try:
        with connect() as client:
            networks = client.containers.get(gig.sandbox.name).attrs["NetworkSettings"]["Networks"].values()
        far = {"DOCKER_HOST": f"tcp://{next(iter(networks))['IPAddress']}:2375"}
        gig.add_far_target(gig.sandbox.ssh_port)
        gig.edit("ship.toml", "shipper-test/python:3", "gig-database:1")
        for version, layers in (("one", "5 layers,"), ("two", "1 layer,")):
            (gig.root / "api/main.py").write_text(
                (gig.root / "api/main.py").read_text().replace('VERSION = "one"', f'VERSION = "{version}"')
            )
            ended = gig.shipper("ship", "--yes", "--to", "far", **far)
            assert ended.code == 0, ended.output
            told = " ".join(ended.output.split())
            assert "The engine does not reach this machine's loopback address: the image is exported" in told
            assert json.loads(gig.get("/api/health")[1])["version"] == version
            assert layers in ended.output[ended.output.index("ok   image ") :], ended.output
    finally:
        sandbox_exec(["systemctl", "stop", "far-engine.socket", "far-engine.service"])


@pytest.fixture(scope="module")
def small_image() -> Iterator[str]:
    """Make an image of two layers in the engine of this machine; its id."""
    recipe = b'FROM scratch\nCOPY one /one\nCOPY two /folder/two\nCMD ["/one"]\n'
    files = {"Dockerfile": recipe, "one": os.urandom(2 << 20), "two": b"two\n" * 100_000}
    with connect() as client:
        name = f"shipper-test/small:{secrets.token_hex(4)}"
        image, _ = client.images.build(fileobj=tar_of(files), custom_context=True, tag=name, rm=True)
        yield image.id
        client.images.remove(name)


def _registry(folder: Path) -> Any:
    return open_registry(folder / "images")


def unpacked(pushed: Pushed) -> list[str]:
    """Return the DiffIDs of the layers as they lie in the registry's folder."""
    return [f"sha256:{hashlib.sha256(gzip.decompress(blob.file.read_bytes())).hexdigest()}" for blob in pushed.layers]


def test_an_export_is_what_a_push_would_have_left_and_every_layer_is_compressed_once(
    small_image: str, tmp_path: Path
) -> None:
    with connect() as client, _registry(tmp_path / "push") as pushes, _registry(tmp_path / "export") as exports:
        pushed = push_here(client, small_image, "small", pushes)
        exported = export_here(client, small_image, exports)
        assert pushed is not None
        layers = json.loads(exported.configuration.file.read_bytes())["rootfs"]["diff_ids"]
        assert unpacked(exported) == unpacked(pushed) == layers
        assert exported.configuration.digest == pushed.configuration.digest == small_image
        written = [blob.file.stat().st_ino for blob in exported.layers]
        assert export_here(client, small_image, exports) == exported
        assert [blob.file.stat().st_ino for blob in exported.layers] == written
        exported.layers[0].file.unlink()
        assert export_here(client, small_image, exports) == exported, "the same bytes every time"
        assert not [file for file in exports.folder.iterdir() if file.name.endswith(".partial")]


class Engine:
    """Stands for an engine whose export is this archive."""

    def __init__(self, archive: bytes) -> None:
        self.api = self
        self._archive = archive

    def get_image(self, image: str) -> Iterator[bytes]:
        return iter([self._archive[at : at + 100_000] for at in range(0, len(self._archive), 100_000)])


def newer_layout(archive: bytes, *, compressed: bool) -> bytes:
    """Write an export of an older engine as Docker 25 does, or as one that keeps layers compressed (containerd's)."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as old:
        content = {member.name: old.extractfile(member).read() for member in old if member.isreg()}
    [image] = json.loads(content["manifest.json"])
    layers = [content[name] for name in image["Layers"]]
    if compressed:
        layers = [gzip.compress(layer, mtime=0) for layer in layers]
    configuration = content[image["Config"]]
    names = [f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}" for blob in (configuration, *layers)]
    files = {
        **dict(zip(names, (configuration, *layers), strict=True)),
        "index.json": b'{"schemaVersion": 2, "manifests": []}',
        "manifest.json": json.dumps([{"Config": names[0], "RepoTags": None, "Layers": names[1:]}]).encode(),
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
    }
    return tar_of(files).getvalue()


def export_of(archive: bytes, registry: Registry) -> Pushed:
    return export_here(Engine(archive), "any", registry)


def test_the_layouts_of_newer_engines_are_read_as_well_and_a_cut_export_is_an_error(
    small_image: str, tmp_path: Path
) -> None:
    with connect() as client:
        archive = b"".join(client.api.get_image(small_image))
    with (
        _registry(tmp_path / "old") as old,
        _registry(tmp_path / "new") as new,
        _registry(tmp_path / "packed") as packed,
    ):
        expected = export_of(archive, old)
        plain = export_of(newer_layout(archive, compressed=False), new)
        assert (plain.digest, plain.manifest) == (expected.digest, expected.manifest)
        assert export_of(newer_layout(archive, compressed=False), new) == plain
        kept = export_of(newer_layout(archive, compressed=True), packed)
        assert unpacked(kept) == unpacked(expected)
        for end in (len(archive) // 2, 100_000, 0):
            with pytest.raises(BuildError):
                export_of(archive[:end], new)
        assert not [file for file in new.folder.iterdir() if file.name.endswith(".partial")]
