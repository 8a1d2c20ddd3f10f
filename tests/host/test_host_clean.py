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
# Two images that were built long ago, and two containers that cannot run, each of them here since another day: such
# times cannot be had from the engine, so they are written where it keeps them, while it is away.
OLD_AND_YOUNG = """
import datetime, glob, hashlib, io, json, subprocess, tarfile

def ago(days):
    return (datetime.datetime.utcnow() - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000000001Z")

def add(archive, name, data):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))

identities = {}
for name, days in (("old", 8), ("young", 6)):
    layer, whole = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        add(archive, name, name.encode())
    rootfs = {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()]}
    configuration = {"created": ago(100), "architecture": "amd64", "os": "linux", "rootfs": rootfs, "config": {}}
    text = json.dumps(configuration).encode()
    manifest = [{"Config": "config.json", "RepoTags": ["image-" + name + ":1"], "Layers": ["layer.tar"]}]
    with tarfile.open(fileobj=whole, mode="w") as archive:
        add(archive, "config.json", text)
        add(archive, "layer.tar", layer.getvalue())
        add(archive, "manifest.json", json.dumps(manifest).encode())
    subprocess.run(["docker", "load"], input=whole.getvalue(), check=True)
    subprocess.run(["docker", "tag", "image-" + name + ":1", "image-" + name + ":1"], check=True)
    identities[name] = hashlib.sha256(text).hexdigest()
    subprocess.run(["docker", "run", "--name", "ended-" + name, "piled-up:1", "/nothing"])
subprocess.run(["systemctl", "stop", "docker.socket", "docker"], check=True)
for name, days in (("old", 8), ("young", 6)):
    folder = "/var/lib/docker/image/overlay2/imagedb/metadata/sha256/" + identities[name]
    with open(folder + "/lastUpdated", "w") as file:
        file.write(ago(days))
    for path in glob.glob("/var/lib/docker/containers/*/config.v2.json"):
        with open(path) as file:
            container = json.load(file)
        if container["Name"] == "/ended-" + name:
            state = container["State"]
            container["Created"] = state["StartedAt"] = state["FinishedAt"] = ago(days)
            with open(path, "w") as file:
                json.dump(container, file)
subprocess.run(["systemctl", "reset-failed", "docker.service"], check=True)
subprocess.run(["systemctl", "start", "docker.socket"], check=True)
"""
# The engine's unit may not start four times in a minute.
AS_BEFORE = (
    "systemctl stop docker.socket docker; umount /var/lib/docker; systemctl reset-failed docker.service; "
    "systemctl start docker.socket"
)


def test_what_is_older_than_a_week_goes_and_the_room_that_is_told_is_that_of_the_disk_with_the_images(
    gig: Corner, sandbox_exec: Exec
) -> None:
    code, output = sandbox_exec(["sh", "-ec", OWN_DISK])
    try:
        assert code == 0, output
        code, output = sandbox_exec(["python3", "-c", OLD_AND_YOUNG])
        assert code == 0, output
        week = gig.shipper("host.clean")
        left, ended = images(sandbox_exec), sandbox_exec(["docker", "ps", "--all", "--format", "{{.Names}}"])[1].split()
        sandbox_exec(["docker", "rm", "ended-young"])
        rest = gig.shipper("host.clean", "--days", "0")
    finally:
        sandbox_exec(["sh", "-c", AS_BEFORE])
    assert week.code == 0, week.output
    assert left == {"image-young:1", "piled-up:1"}, "built long ago, but here for less than a week"
    assert ended == ["ended-young"]
    assert rest.code == 0, rest.output
    assert re.search(r"of 0\.2 GB; (4[5-9]|5[0-5]) MB more", rest.output), rest.output


def test_what_nobody_needs_goes_and_what_a_release_needs_stays(gig: Corner, sandbox_exec: Exec) -> None:
    gig.shipped()
    gig.edit("api/main.py", START, 'VERSION = "two"')
    gig.shipped()
    before = images(sandbox_exec)
    kept = {name for name in before if name.startswith("gig:")}
    assert len(kept) == 2, "one is live, one is the way back"
    sandbox_exec(["sh", "-c", OLD.format("piled", "piled-up")])
    sandbox_exec(["docker", "run", "--name", "ended", "gig-database:1", "true"])
    sandbox_exec(["docker", "volume", "create", "rows-of-somebody"])
    nameless = sandbox_exec(["docker", "volume", "create"])[1].strip()
    before_busy = volumes(sandbox_exec)
    busy = ["docker", "run", "--detach", "--name", "busy", "--volume", "/rows", "gig-database:1", "sleep", "600"]
    assert sandbox_exec(busy)[0] == 0
    [in_use] = volumes(sandbox_exec) - before_busy
    up = running(sandbox_exec)
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

    before_ended = volumes(sandbox_exec)
    sandbox_exec(["docker", "run", "--name", "ended", "--volume", "/rows", "gig-database:1", "true"])
    [of_ended] = volumes(sandbox_exec) - before_ended
    all_of_it = gig.shipper("host.clean", "--aggressive", "--yes")
    assert all_of_it.code == 0, all_of_it.output
    assert nameless not in volumes(sandbox_exec)
    assert {"rows-of-somebody", "gig_rows", in_use, of_ended} <= volumes(sandbox_exec), "named, or used until now"
    assert kept <= images(sandbox_exec)
    assert running(sandbox_exec) == up
    back = gig.shipper("rollback", "--yes")
    assert back.code == 0, back.output
    assert '"one"' in gig.get("/api/health")[1]
