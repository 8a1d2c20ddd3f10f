"""A stand-in for Amazon's registry: moto answers for AWS, Docker's own registry with TLS and a login holds the images.

Its name leads to this machine, for the engine here and for the one in the practice server, as long as it is used.
"""

from __future__ import annotations

import datetime
import re
import secrets
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from docker.errors import APIError

from shipper.engine import connect

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
_SECONDS = 60.0
_CONFIG = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
auth: {{htpasswd: {{realm: test, path: {folder}/users}}}}
http: {{addr: "127.0.0.1:{port}", tls: {{certificate: {folder}/certificate.pem, key: {folder}/private}}}}
"""


_REQUEST = re.compile(rb"([A-Z]{3,7}) /v2/\S*")
_IMMUTABLE = (
    b'{"errors": [{"code": "TAG_INVALID", "message": "The image tag already exists in the repository and cannot be '
    b'overwritten because the repository is immutable."}]}'
)
# As ECR answers where tags cannot be overwritten.
_TAKEN = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_IMMUTABLE), _IMMUTABLE)
)


@dataclass
class Amazon:
    """The registry, and its control: tokens that run out, a death in the middle of a push, tags that are taken.

    `requests` are the first lines of all that engines asked it for.
    """

    folder: Path
    port: int
    tokens: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    # Whether tokens are good for anything, and whether every tag is there already.
    accepts: bool = True
    taken: bool = False
    # What happens once so many bytes more have come from those who push.
    after: int = 0
    then: Callable[[], None] | None = None
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the registry and wait until it listens."""
        config = self.folder / "config.yml"
        config.write_text(_CONFIG.format(folder=self.folder, port=self.port), encoding="utf-8")
        self._process = subprocess.Popen(["docker-registry", "serve", str(config)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _SECONDS
        while not _answers(self.port):
            assert time.monotonic() < deadline and self._process.poll() is None, "the registry does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """End the registry in the middle of whatever it does."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def mint(self) -> str:
        """Make a new token, from now on the only one that is accepted."""
        token = secrets.token_urlsafe(24)
        self.tokens.append(token)
        if self.accepts:
            self._accept(token)
        return token

    def expire(self) -> None:
        """Let the token of the moment run out."""
        self._accept(secrets.token_urlsafe(24))

    def _accept(self, token: str) -> None:
        hashed = bcrypt.hashpw(token.encode(), bcrypt.gensalt(4)).decode()
        users = self.folder / "users"
        scratch = users.with_name("users.new")
        scratch.write_text(f"AWS:{hashed}\n", encoding="utf-8")
        scratch.replace(users)

    def take(self, data: bytes) -> bytes:
        """Note what came in; return what is answered without the registry, mostly nothing."""
        self.after -= len(data)
        if self.then and self.after <= 0:
            act, self.then = self.then, None
            act()
        # A client begins a request after the answer to the one before: it is the first in what is read.
        request = _REQUEST.match(data)
        if not request:
            return b""
        self.requests.append(request[0].decode("ascii"))
        return _TAKEN if self.taken and b"/manifests/" in request[0] and request[1] == b"PUT" else b""


@contextmanager
def amazon_registry(folder: Path, servers: Sequence[str], patch: Any) -> Iterator[Amazon]:
    """Run it for the length of the block, for the engine of this machine and for those in the `servers`.

    `patch` is pytest's, for the environment of AWS and for moto's tokens.
    """
    from moto.ecr.responses import ECRResponse
    from moto.server import ThreadedMotoServer

    address = _gateway(servers[0])
    _make_certificate(folder)
    amazon = Amazon(folder, _free_port())
    amazon.expire()
    api = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    api.start()
    host, port = api.get_host_and_port()
    for name, value in _environment(f"http://{host}:{port}").items():
        patch.setenv(name, value)
    patch.setattr(ECRResponse, "get_authorization_token", lambda _: _token(amazon))
    with _relay(address, amazon), _known(address, servers, (folder / "certificate.pem").read_text()):
        amazon.start()
        try:
            yield amazon
        finally:
            amazon.kill()
            api.stop()


def _token(amazon: Amazon) -> Any:
    from base64 import b64encode

    from moto.core.responses import ActionResult

    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=12)
    token = b64encode(f"AWS:{amazon.mint()}".encode()).decode()
    entry = {"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": f"https://{HOST}"}
    return ActionResult({"authorizationData": [entry]})


def _environment(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _gateway(server: str) -> str:
    """Return the address under which the practice server and this machine both reach this machine."""
    with connect() as client:
        networks = client.containers.get(server).attrs["NetworkSettings"]["Networks"].values()
    return str(next(network["Gateway"] for network in networks if network["Gateway"]))


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry of the tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "private").write_bytes(private)


@contextmanager
def _known(address: str, servers: Sequence[str], certificate: str) -> Iterator[None]:
    """Let all engines know where the registry is, and trust it; this machine is left as it was."""
    hosts, trusted = Path("/etc/hosts"), Path("/etc/docker/certs.d") / HOST
    before = hosts.read_text()
    trusted.mkdir(parents=True, exist_ok=True)
    (trusted / "ca.crt").write_text(certificate)
    line = f"{address} {HOST}\n"
    inside = f"mkdir -p {trusted} && cat > {trusted}/ca.crt && echo {line.strip()} >> /etc/hosts"
    try:
        with hosts.open("a") as file:
            file.write(line)
        for server in servers:
            argv = ["docker", "exec", "--interactive", server, "sh", "-c", inside]
            subprocess.run(argv, input=certificate.encode(), check=True)
        _wait_until_known()
        yield
    finally:
        hosts.write_text(before)
        shutil.rmtree(trusted)
        away = f"rm -r {trusted}; grep -v {HOST} /etc/hosts > /tmp/hosts; cat /tmp/hosts > /etc/hosts"
        for server in servers:
            subprocess.run(["docker", "exec", server, "sh", "-c", away], check=True)


def _wait_until_known() -> None:
    """Wait until the engine here has read its hosts file anew, which it does every five seconds."""
    deadline = time.monotonic() + _SECONDS
    with connect() as client:
        while True:
            try:
                client.api.login("AWS", "nobody", registry=HOST, reauth=True, dockercfg_path="/nowhere")
            except APIError as error:
                if "no such host" not in str(error):
                    return
            assert time.monotonic() < deadline, "the engine does not find the registry's name"
            time.sleep(0.2)


@contextmanager
def _relay(address: str, amazon: Amazon) -> Iterator[None]:
    """Listen on the port of HTTPS and pass everything on to the registry, looking at what comes in."""
    with socket.create_server((address, 443)) as listener:
        threading.Thread(target=_accept_all, args=[listener, amazon], daemon=True).start()
        try:
            yield
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept_all(listener: socket.socket, amazon: Amazon) -> None:
    certificate = amazon.folder / "certificate.pem"
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(certificate, amazon.folder / "private")
    there = ssl.create_default_context(cafile=str(certificate))
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=[near, here, there, amazon], daemon=True).start()


def _serve(plain: socket.socket, here: ssl.SSLContext, there: ssl.SSLContext, amazon: Amazon) -> None:
    with (
        suppress(OSError),
        plain,
        socket.create_connection(("127.0.0.1", amazon.port)) as registry,
        there.wrap_socket(registry, server_hostname=HOST) as far,
        here.wrap_socket(plain, server_side=True) as near,
    ):
        while True:
            ready = [end for end in (near, far) if end.pending()] or select.select([near, far], [], [])[0]
            for source in ready:
                data = _read(source)
                if data == b"":
                    return
                if data is not None:
                    _pass_on(data, near, far, amazon if source is near else None)


def _read(source: ssl.SSLSocket) -> bytes | None:
    """Return what has come, nothing at the end, None when it was only a word between the two ends of TLS."""
    source.settimeout(0)
    try:
        return source.recv(1 << 16)
    except ssl.SSLWantReadError:
        return None
    finally:
        source.settimeout(_SECONDS)


def _pass_on(data: bytes, near: ssl.SSLSocket, far: ssl.SSLSocket, amazon: Amazon | None) -> None:
    if amazon is None:
        near.sendall(data)
        return
    answer = amazon.take(data)
    if answer:
        near.sendall(answer)
    else:
        far.sendall(data)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
