"""The practice server, started for real: how it is reached, how big it is, and what survives what."""

from __future__ import annotations

import socket
import stat
import urllib.request
from collections.abc import Callable, Iterator, Sequence

import paramiko
import pytest

from shipper.archive import tar_of
from shipper.engine import connect
from shipper.errors import ConfigError, HostError
from shipper.events import discard
from shipper.sandbox import server
from shipper.sandbox.login import ssh_command
from shipper.sandbox.server import Sandbox
from shipper.sandbox.state import NAME_VARIABLE, Access, chosen_name, load_target, state_folder

# What its tests share is dear to make: one process runs them all.
pytestmark = pytest.mark.xdist_group("sandbox")

# A server of this file's own: others may be working on the shared one while this one is rebooted and replaced.
NAME = "shipper-test-life"


@pytest.fixture(scope="module")
def own() -> Iterator[Sandbox]:
    yield server.up(NAME, discard)
    with connect() as client:
        client.containers.get(NAME).remove(force=True)


def log_in(access: Access) -> tuple[str, str]:
    """Return the name of the user who logged in with the key, and the fingerprint of the key the server showed."""
    transport = paramiko.Transport(socket.create_connection(("127.0.0.1", access.ssh_port), timeout=10))
    try:
        transport.connect(username="deploy", pkey=paramiko.Ed25519Key.from_private_key_file(str(access.key_file)))
        channel = transport.open_session()
        channel.exec_command("sudo -n id -un")
        return channel.makefile().read().decode().strip(), transport.get_remote_server_key().fingerprint
    finally:
        transport.close()


def run_inside(sandbox: Sandbox, *argv: str) -> str:
    with connect() as client:
        done = client.containers.get(sandbox.name).exec_run(list(argv))
        assert done.exit_code == 0, done.output
        return str(done.output.decode().strip())


def test_up_twice_leaves_the_running_server_alone(own: Sandbox) -> None:
    before = run_inside(own, "cat", "/proc/1/stat").split()[21]
    assert server.up(NAME, discard) == own
    assert run_inside(own, "cat", "/proc/1/stat").split()[21] == before


def test_the_key_logs_in_as_a_user_who_may_become_root_and_the_host_key_is_the_pinned_one(own: Sandbox) -> None:
    assert log_in(own) == ("root", own.host_key_fingerprint)


def test_a_password_is_not_asked_for(own: Sandbox) -> None:
    transport = paramiko.Transport(socket.create_connection(("127.0.0.1", own.ssh_port), timeout=10))
    try:
        transport.start_client(timeout=10)
        with pytest.raises(paramiko.BadAuthenticationType) as refused:
            transport.auth_none("deploy")
        assert refused.value.allowed_types == ["publickey"]
    finally:
        transport.close()


def test_the_server_is_known_as_a_target_without_docker(own: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    target = load_target(NAME)
    assert target == own.as_target()
    assert target is not None
    assert (target.host, target.port, target.user) == ("127.0.0.1", own.ssh_port, "deploy")
    assert target.host_key == own.host_key_fingerprint
    assert target.public_url == f"http://127.0.0.1:{own.http_port}"
    assert target.env_file == ".env.sandbox"


def test_memory_is_one_gibibyte_without_swap(own: Sandbox) -> None:
    with connect() as client:
        limits = client.containers.get(NAME).attrs["HostConfig"]
    assert limits["Memory"] == limits["MemorySwap"] == 1024**3


def test_ports_are_published_on_the_loopback_interface_only(own: Sandbox) -> None:
    with connect() as client:
        ports = client.containers.get(NAME).attrs["NetworkSettings"]["Ports"]
    assert ports == {
        "22/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(own.ssh_port)}],
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(own.http_port)}],
    }


def test_nginx_answers_at_the_url(own: Sandbox) -> None:
    with urllib.request.urlopen(own.url, timeout=10) as response:
        assert response.status == 200
        assert response.headers["Server"].startswith("nginx")


@pytest.mark.parametrize("unit", ["ssh.service", "nginx.service"])
def test_services_run_under_systemd(own: Sandbox, unit: str) -> None:
    assert run_inside(own, "systemctl", "is-active", unit) == "active"


def test_a_hardened_unit_with_a_memory_limit_runs(own: Sandbox) -> None:
    limits = ("--property=DynamicUser=yes", "--property=ProtectSystem=strict", "--property=MemoryMax=64M")
    assert run_inside(own, "systemd-run", "--pipe", "--wait", "--quiet", *limits, "echo", "works") == "works"


def test_keys_can_be_read_by_their_owner_only(own: Sandbox) -> None:
    assert stat.S_IMODE(own.state_folder.stat().st_mode) == 0o700
    for key in (own.key_file, own.host_key_file):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_stopped_server_comes_back_with_everything_on_it(own: Sandbox) -> None:
    run_inside(own, "sh", "-c", "echo kept > /srv/note; echo kept > /etc/note")
    server.down(NAME)
    stopped = server.find(NAME)
    assert stopped is not None
    assert not stopped.running
    assert server.up(NAME, discard) == own
    assert run_inside(own, "cat", "/srv/note", "/etc/note") == "kept\nkept"


def test_a_reboot_comes_back(own: Sandbox) -> None:
    before = run_inside(own, "cat", "/proc/1/stat").split()[21]
    with connect() as client:
        client.containers.get(NAME).restart(timeout=30)
    assert server.up(NAME, discard) == own
    assert run_inside(own, "cat", "/proc/1/stat").split()[21] != before
    assert log_in(own) == ("root", own.host_key_fingerprint)


def test_reset_gives_a_fresh_server_with_the_same_address_and_keys(own: Sandbox) -> None:
    run_inside(own, "sh", "-c", "echo gone > /srv/note; echo gone > /etc/note")
    assert server.reset(NAME, discard) == own
    assert log_in(own) == ("root", own.host_key_fingerprint)
    assert run_inside(own, "sh", "-c", "ls -A /srv; ls /etc | grep -x note || true") == ""


def test_lost_keys_are_named_with_the_way_out(own: Sandbox) -> None:
    aside = own.key_file.rename(own.key_file.with_name("aside"))
    try:
        with pytest.raises(HostError, match="keys are not") as failed:
            server.up(NAME, discard)
        assert "inv sandbox.reset" in failed.value.fix
    finally:
        aside.rename(own.key_file)


def test_a_container_of_somebody_else_is_left_alone(own: Sandbox) -> None:
    name = "shipper-test-foreign"
    with connect() as client:
        image = client.containers.get(own.name).image
        foreign = client.containers.create(image, name=name)
        try:
            for command in (server.up, server.reset):
                with pytest.raises(HostError, match="not a practice server"):
                    command(name, discard)
            foreign.reload()
            assert foreign.status == "created"
        finally:
            foreign.remove(force=True)
    assert not state_folder(name).exists()


def test_an_engine_that_is_not_running_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(HostError, match="engine is not running") as failed:
        server.up(NAME, discard)
    assert failed.value.fix


def test_an_engine_that_cannot_build_is_not_taken_for_one_that_is_away() -> None:
    recipe = tar_of({"Dockerfile": b"FROM scratch\nCOPY nothing /\n"})
    with pytest.raises(HostError, match="engine refused a request") as failed, connect() as client:
        client.images.build(fileobj=recipe, custom_context=True, rm=True)
    assert "nothing" in failed.value.why


def test_a_name_that_leaves_the_state_folder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME_VARIABLE, "../elsewhere")
    with pytest.raises(ConfigError, match="cannot be the name"):
        chosen_name()


def test_the_ssh_program_is_given_the_pinned_host_key_and_no_shell_text(own: Sandbox) -> None:
    command = ssh_command(own)
    assert command[0] == "ssh"
    assert "StrictHostKeyChecking=yes" in command
    line = (own.state_folder / "known_hosts").read_text(encoding="ascii")
    assert line.startswith(f"[127.0.0.1]:{own.ssh_port} ssh-ed25519 ")


def test_cleaning_removes_an_app_with_its_unit_user_and_nginx_files(
    sandbox_exec: Callable[[Sequence[str]], tuple[int, str]], request: pytest.FixtureRequest
) -> None:
    unit, site = "/etc/systemd/system/leftover@.service", "/etc/nginx/conf.d/shipper-leftover.conf"
    for argv in (
        ["mkdir", "-p", "/srv/leftover/releases", "/etc/nginx/shipper"],
        ["useradd", "--system", "--user-group", "leftover"],
        ["sh", "-c", f"printf '[Service]\\nExecStart=sleep infinity\\n' > {unit}; echo '# nothing' > {site}"],
        ["systemctl", "start", "leftover@1.service"],
    ):
        assert sandbox_exec(argv) == (0, "")
    request.getfixturevalue("clean_server")
    assert sandbox_exec(["sh", "-c", f"ls -d /srv/* /etc/nginx/shipper {unit} {site} 2>/dev/null"])[1] == ""
    assert sandbox_exec(["systemctl", "is-active", "leftover@1.service"]) == (3, "inactive\n")
    assert sandbox_exec(["id", "leftover"])[0] != 0
    assert sandbox_exec(["systemctl", "is-active", "nginx.service"]) == (0, "active\n")
