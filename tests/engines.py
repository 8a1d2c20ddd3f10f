"""Other servers than the practice server's own kind: the first Compose, newer engines, containerd's image store.

They are made of Debian's packages, in a practice server of their own, with `pytest --server-docker KIND`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Exec = Callable[[Sequence[str]], tuple[int, str]]

OWN = "own"
_MARK = "/etc/shipper-tests-docker"
# Debian 12's own package; the practice server has a later one.
_COMPOSE_1 = """
apt-get update -qq
apt-get install -y -qq --no-install-recommends --allow-downgrades docker-compose/bookworm
docker-compose version --short | grep '^1[.]'
! docker compose version
"""
# The packages need no more of a later Debian than themselves: all else stays what it is. A mirror that stands still has
# a list that is out of date, which keeps its signature. And newer engines set what the kernel does with IPv6 for every
# container, which a server in a container may not; its network is its own, so nobody else sees that.
_LATER = """
site=$(apt-get update -qq && apt-get indextargets --format '$(LABEL) $(SITE)' 'Identifier: Packages' \
    | awk '$1 == "Debian" {{ print $2; exit }}')
echo "deb [check-valid-until=no] $site {suite} main" > /etc/apt/sources.list.d/later.list
printf 'Package: *\\nPin: release n={suite}\\nPin-Priority: 100\\n' > /etc/apt/preferences.d/later
apt-get update -qq
systemctl stop docker.socket docker
mkdir -p /etc/systemd/system/docker.service.d
cat > /etc/systemd/system/docker.service.d/network.conf <<END
[Service]
ExecStartPre=sh -c 'mountpoint -q /proc/sys/net || mount --bind /proc/sys/net /proc/sys/net'
ExecStartPre=mount -o remount,rw,bind /proc/sys/net
END
systemctl daemon-reload
apt-get install -y -qq --no-install-recommends docker.io/{suite} docker-cli/{suite}
rm /etc/apt/sources.list.d/later.list /etc/apt/preferences.d/later
"""
# The disk of a practice server is the one with the engine's folder (shipper.sandbox.container).
_CONTAINERD = """
systemctl stop docker.socket docker containerd
mkdir -p /etc/docker /var/lib/docker/of-containerd
echo '{"features": {"containerd-snapshotter": true}}' > /etc/docker/daemon.json
cat > /etc/systemd/system/var-lib-containerd.mount <<END
[Mount]
What=/var/lib/docker/of-containerd
Where=/var/lib/containerd
Type=none
Options=bind
[Install]
RequiredBy=containerd.service
END
systemctl daemon-reload
systemctl enable var-lib-containerd.mount
systemctl start var-lib-containerd.mount
"""
_START = "systemctl start docker.socket\ndocker version\n"
_DEBIAN_13, _DEBIAN_14 = _LATER.format(suite="trixie"), _LATER.format(suite="forky")

# What is done to a practice server. Debian 13 has Docker 26.1, the one after it 28.5 (November 2026).
KINDS = {
    OWN: "",
    "compose-1": _COMPOSE_1,
    "debian-13": _DEBIAN_13 + _START,
    "debian-13-containerd": _DEBIAN_13 + _CONTAINERD + _START,
    "debian-14": _DEBIAN_14 + _START,
    "debian-14-containerd": _DEBIAN_14 + _CONTAINERD + _START,
}


def install(run: Exec, kind: str) -> None:
    """Make a practice server, whose commands are run by `run`, one of that kind, once."""
    if kind == OWN or run(["test", "-e", _MARK])[0] == 0:
        return
    script = f"export DEBIAN_FRONTEND=noninteractive\n{KINDS[kind]}touch {_MARK}\n"
    code, output = run(["sh", "-exc", script])
    assert code == 0, output
