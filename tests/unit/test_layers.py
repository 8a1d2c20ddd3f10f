"""What must not be in an image, found in its layers; what base images bring along is left alone."""

from __future__ import annotations

import io
import tarfile

import pytest

from shipper.check.layers import look_into, step_of

KEY = b"-----BEGIN " + b"RSA PRIVATE KEY-----\n"
# A file for logins that holds none is no secret.
NPMRC = b"//registry.npmjs.org/:_authToken=" + b"npm_" + b"aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"
NETRC = b"machine example.com login kim password " + b"k3Jd82hsKq"
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\n"


def layer(*entries: tuple[str, bytes]) -> io.BytesIO:
    """Return a layer's archive; a path with a slash at its end is a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in entries:
            entry = tarfile.TarInfo(path.rstrip("/"))
            entry.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("app/.env", b""),
        ("app/.env.production", b""),
        ("./app/.ENV", b""),
        ("app/.git/", b""),
        ("app/keys/server.pem", KEY),
        ("etc/nginx/tls/site.key", KEY),
        ("root/.ssh/id_ed25519", b""),
        ("usr/src/app/backup.dump", b"PGDMP\x01\x0e\x00"),
        ("usr/src/app/.npmrc", NPMRC),
        ("root/.netrc", NETRC),
        ("srv/db.sqlite3", b"SQLite format 3\x00"),
    ],
)
def test_what_is_private_is_found(path: str, content: bytes) -> None:
    found = list(look_into(layer(("app/main.py", b"x"), (path, content), ("app/other.py", b"x"))))
    assert [name for name, _ in found] == [path.removeprefix("./").rstrip("/")]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("app/.env.example", b""),
        ("app/rds-global-bundle.pem", CERTIFICATE),
        ("app/env", b""),
        ("etc/ssl/private/ssl-cert-snakeoil.key", KEY),
        ("usr/share/doc/openssl/demo.key", KEY),
        ("usr/lib/python3/dist-packages/certifi/cacert.pem", CERTIFICATE),
        ("usr/local/lib/python3.11/test/certdata/keycert.pem", KEY),
        ("opt/venv/lib/python3.11/site-packages/tornado/test/test.key", KEY),
        ("app/node_modules/some/test/.env", b""),
        ("var/lib/dpkg/info/x.db", b""),
        ("app/.wh..env", b""),
        ("lib/apk/db/", b""),
    ],
)
def test_what_everybody_may_have_is_left_alone(path: str, content: bytes) -> None:
    assert list(look_into(layer((path, content)))) == []


def test_a_damaged_layer_is_an_error() -> None:
    whole = layer(("app/a", b"a" * 10_000), ("app/.env", b"")).getvalue()
    with pytest.raises(tarfile.TarError):
        list(look_into(io.BytesIO(b"damaged" + whole)))
    with pytest.raises(tarfile.TarError):
        list(look_into(io.BytesIO(whole[:6_000])))


@pytest.mark.parametrize(
    ("created_by", "wanted"),
    [
        ("/bin/sh -c #(nop) COPY file:1a2b in /app/ ", "COPY file:1a2b in /app/"),
        ("COPY main.py ./ # buildkit", "COPY main.py ./"),
        ("RUN /bin/sh -c make   all # buildkit", "RUN make all"),
        ("/bin/sh -c make all", "RUN make all"),
        ("RUN echo TOKEN=secret > .env && KEY='x' make", "RUN echo TOKEN=... > .env && KEY=... make"),
        ("|1 TOKEN=secret /bin/sh -c make all", "RUN make all"),
        ("RUN |2 A=1 TOKEN=secret /bin/sh -c make all # buildkit", "RUN make all"),
        ('/bin/sh -c #(nop) CMD ["x"]', 'CMD ["x"]'),
        ("RUN /bin/sh -c " + "x" * 100, "RUN " + "x" * 73 + "..."),
    ],
)
def test_a_layer_is_named_by_the_step_that_made_it(created_by: str, wanted: str) -> None:
    assert step_of(created_by) == wanted
