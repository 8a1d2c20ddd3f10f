"""The container that a practice server is: made so that systemd, sshd and nginx work in it, and found again."""

from __future__ import annotations

import io
import tarfile
from contextlib import suppress
from typing import Any

from shipper.errors import HostError
from shipper.sandbox import keys
from shipper.sandbox.state import LOOPBACK, USER, Access

# The size of the servers that the field notes come from (B1, S6): a first-tier virtual machine.
MEMORY_BYTES = 1 << 30

_LABEL = "shipper.sandbox"
# `deploy` in recipe/Dockerfile: the first user of a Debian system.
_USER_ID = 1000


def find_container(client: Any, name: str) -> Any | None:
    """Return the container of the practice server `name`, None when there is none.

    Raises HostError when a container of that name is somebody else's.
    """
    from docker.errors import NotFound

    try:
        container = client.containers.get(name)
    except NotFound:
        return None
    if _LABEL not in container.labels:
        raise HostError(
            f"There is a container '{name}' that is not a practice server.",
            why=f"It runs the image {container.attrs['Config']['Image']}; shipper leaves it alone.",
            fix=f"Set SHIPPER_SANDBOX to another name, or type: docker rename {name} {name}-old",
        )
    return container


def create_container(client: Any, access: Access, image: str) -> Any:
    """Create the container of a fresh practice server, without starting it. What an earlier one had in /srv is gone."""
    from docker.errors import NotFound

    # Plain file systems, as on a server: the container's own layers copy files at the first change, and an engine
    # cannot put layers on top of layers.
    volumes = {f"{access.name}-srv": "/srv", f"{access.name}-docker": "/var/lib/docker"}
    for volume in volumes:
        with suppress(NotFound):
            client.volumes.get(volume).remove()
    return client.containers.create(
        image,
        name=access.name,
        hostname=access.name,
        labels={_LABEL: access.name},
        mem_limit=MEMORY_BYTES,
        # Memory and swap together: such a server has no swap, and running out of memory must show here too.
        memswap_limit=MEMORY_BYTES,
        tmpfs={"/run": "", "/run/lock": "", "/tmp": "exec"},  # noqa: S108 - a folder of the server
        volumes={
            **{volume: {"bind": folder, "mode": "rw"} for volume, folder in volumes.items()},
            **_control_group_mount(client),
        },
        ports={"22/tcp": (LOOPBACK, access.ssh_port), "80/tcp": (LOOPBACK, access.http_port)},
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        **_rights(client),
    )


def start_container(container: Any, access: Access) -> None:
    """Give the container its keys and start it. Raises HostError when one of its ports is taken."""
    from docker.errors import APIError

    container.put_archive("/", _identity(access))
    try:
        container.start()
    except APIError as error:
        raise HostError(
            f"The practice server '{access.name}' could not be started.",
            why=error.explanation or str(error),
            fix=f"If another program listens on port {access.ssh_port} or {access.http_port}, stop it and repeat.\n"
            "For a fresh server on other ports: inv sandbox.reset",
        ) from error


def _has_unified_control_groups(client: Any) -> bool:
    return str(client.info().get("CgroupVersion", "1")) == "2"


def _control_group_mount(client: Any) -> dict[str, dict[str, str]]:
    if _has_unified_control_groups(client):
        return {}
    return {"/sys/fs/cgroup": {"bind": "/sys/fs/cgroup", "mode": "rw"}}


def _rights(client: Any) -> dict[str, Any]:
    """Return what systemd needs as the first process, by the kind of control groups that the engine has.

    With the unified hierarchy, only a privileged container gets a writable tree of its own; `kind` runs its nodes so.
    With the older one the engine's tree is mounted, and SYS_RESOURCE is left out: an engine that runs in a small
    virtual machine or a container may not have it to give, and nothing here needs it.
    """
    if _has_unified_control_groups(client):
        return {"privileged": True, "cgroupns": "private"}
    return {"cap_add": ["ALL"], "cap_drop": ["SYS_RESOURCE"], "cgroupns": "host"}


def _identity(access: Access) -> bytes:
    """Return a tar archive with the server's host key and the public key that may log in."""
    login = keys.public_key(access.key_file) + "\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folder = _entry(f"home/{USER}/.ssh", mode=0o700, owner=_USER_ID)
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, owner, content in (
            (f"home/{USER}/.ssh/authorized_keys", _USER_ID, login.encode("ascii")),
            ("etc/ssh/ssh_host_ed25519_key", 0, access.host_key_file.read_bytes()),
        ):
            entry = _entry(name, mode=0o600, owner=owner)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _entry(name: str, *, mode: int, owner: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.uid, entry.gid = mode, owner, owner
    return entry
