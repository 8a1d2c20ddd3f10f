"""`inv host.clean`: what Docker piled up goes; what a release of any app needs, and every named volume, stays."""

from __future__ import annotations

import re

from conftest import Exec
from corner import Corner

START = 'VERSION = "one"'
OLD = "mkdir -p /tmp/old && echo {} > /tmp/old/file && tar -C /tmp/old -c . | docker import - {}:1"


def images(run: Exec) -> set[str]:
    return set(run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"])[1].split())


def volumes(run: Exec) -> set[str]:
    return set(run(["docker", "volume", "ls", "--quiet"])[1].split())


def running(run: Exec) -> set[str]:
    return set(run(["docker", "ps", "--quiet"])[1].split())


OWN_DISK = """
systemctl stop docker.socket docker
mount -t tmpfs -o size=200m tmpfs /var/lib/docker
systemctl start docker.socket
mkdir -p /var/lib/docker/old && head -c 50000000 /dev/urandom > /var/lib/docker/old/file
tar -C /var/lib/docker/old -c . | docker import - piled-up:1
"""
AS_BEFORE = "systemctl stop docker.socket docker; umount /var/lib/docker; systemctl start docker.socket"


def test_the_room_that_is_told_is_that_of_the_disk_with_the_images(gig: Corner, sandbox_exec: Exec) -> None:
    code, output = sandbox_exec(["sh", "-ec", OWN_DISK])
    try:
        assert code == 0, output
        ended = gig.shipper("host.clean", "--days", "0")
    finally:
        sandbox_exec(["sh", "-c", AS_BEFORE])
    assert ended.code == 0, ended.output
    assert re.search(r"of 0\.2 GB; (4[5-9]|5[0-5]) MB more", ended.output), ended.output


def test_what_nobody_needs_goes_and_what_a_release_needs_stays(gig: Corner, sandbox_exec: Exec) -> None:
    gig.shipped()
    gig.edit("api/main.py", START, 'VERSION = "two"')
    gig.shipped()
    before, up = images(sandbox_exec), running(sandbox_exec)
    kept = {name for name in before if name.startswith("gig:")}
    assert len(kept) == 2, "one is live, one is the way back"
    sandbox_exec(["sh", "-c", OLD.format("piled", "piled-up")])
    sandbox_exec(["docker", "run", "--name", "ended", "gig-database:1", "true"])
    sandbox_exec(["docker", "volume", "create", "rows-of-somebody"])
    nameless = sandbox_exec(["docker", "volume", "create"])[1].strip()

    # An image that was made just now may be wanted still.
    young = gig.shipper("host.clean")
    assert young.code == 0, young.output
    assert "piled-up:1" in images(sandbox_exec)
    asked = gig.shipper("host.clean", "--aggressive")
    assert asked.code == 2, asked.output
    assert "--yes" in asked.output
    refused = gig.shipper("host.clean", "--days", "-1")
    assert refused.code == 2, refused.output
    assert "piled-up:1" in images(sandbox_exec)

    old = gig.shipper("host.clean", "--days", "0")
    assert old.code == 0, old.output
    assert "piled-up:1" in old.output
    assert "ended" in old.output
    assert re.search(r"[0-9.,]+ [KMG]B", old.output), "how full the disk was, and is"
    assert "piled-up:1" not in images(sandbox_exec)
    assert kept <= images(sandbox_exec)
    assert {nameless, "rows-of-somebody", "gig_rows"} <= volumes(sandbox_exec)

    all_of_it = gig.shipper("host.clean", "--aggressive", "--yes")
    assert all_of_it.code == 0, all_of_it.output
    assert nameless not in volumes(sandbox_exec)
    assert {"rows-of-somebody", "gig_rows"} <= volumes(sandbox_exec)
    assert kept <= images(sandbox_exec)
    assert running(sandbox_exec) == up
    back = gig.shipper("rollback", "--yes")
    assert back.code == 0, back.output
    assert '"one"' in gig.get("/api/health")[1]
