"""Which names (with the beginnings of their files) must not be in git, and which are fine."""

# ruff: noqa: E501  (a case is one line)
from __future__ import annotations

import pytest

from shipper.check.hygiene.names import LOOKED_AT_BYTES, check_name

PRIVATE = b"-----BEGIN RSA " + b"PRIVATE KEY-----\nMIIE\n"
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMII\n"
SQLITE = b"SQLite format 3\0" + bytes(100)

FOUND: list[tuple[str, bytes, str, str]] = [
    (".env", b"A=1", "name.env-file", "error"),
    (".ENV", b"A", "name.env-file", "error"),
    (".env.production", b"A", "name.env-file", "error"),
    (".env.production", b"NEXT_PUBLIC_API_URL=/api\nSECRET_KEY=x\n", "name.env-file", "error"),
    (".env.production", b"VITE_TITLE=shop\nnot an assignment\n", "name.env-file", "error"),
    ("prod.env", b"A", "name.env-file", "error"),
    (".env.local.bak", b"A", "name.env-file", "error"),
    ("env.production", b"A", "name.env-file", "error"),
    ("backend/.env.local", b"", "name.env-file", "error"),
    (".env~", b"a", "name.env-file", "error"),
    ("app/.env.prod.old", b"a", "name.env-file", "error"),
    (".env copy", b"a", "name.env-file", "error"),
    (".env_backup", b"a", "name.env-file", "error"),
    ("config/prod.env", b"a", "name.env-file", "error"),
    ("docker/app.env", b"x", "name.env-file", "error"),
    (".env.development", b"A", "name.env-file", "error"),
    (".env-prod", b"a", "name.env-file", "error"),
    (".env.2024", b"a", "name.env-file", "error"),
    ("id_rsa", PRIVATE, "name.private-key", "error"),
    ("ID_RSA", PRIVATE, "name.private-key", "error"),
    ("id_ed25519.old", PRIVATE, "name.private-key", "error"),
    ("keys/deploy_id_rsa", PRIVATE, "name.private-key", "error"),
    ("id_rsa.bak", PRIVATE, "name.private-key", "error"),
    ("server.KEY", PRIVATE, "name.private-key", "error"),
    ("Server.Pem", PRIVATE, "name.private-key", "error"),
    ("x.pem.bak", PRIVATE, "name.private-key", "error"),
    ("a.p12", b"0", "name.keystore", "error"),
    ("a.pfx", b"0", "name.keystore", "error"),
    ("a.jks", b"\xfe\xed", "name.keystore", "error"),
    ("release.keystore", b"\xfe", "name.keystore", "error"),
    ("a.ppk", b"PuTTY-User-Key-File-2: x", "name.keystore", "error"),
    ("a.kdbx", b"x", "name.keystore", "error"),
    ("AuthKey_ABC.p8", PRIVATE, "name.keystore", "error"),
    ("priv.asc", b"-----BEGIN PGP " + b"PRIVATE " + b"KEY BLOCK-----", "name.private-key", "error"),
    ("secring.gpg", b"\x95\x01", "name.private-key", "error"),
    ("key.key", b"\x01\x02randomstuff", "name.private-key", "error"),
    ("master.key", b"ab12cd34", "name.private-key", "error"),
    ("ssh_host_rsa_key", PRIVATE, "name.private-key", "error"),
    ("privkey.pem", PRIVATE, "name.private-key", "error"),
    ("db.sqlite3", SQLITE, "name.database", "error"),
    ("a.sqlite3", b"\x01\x02\x00\x03 encrypted", "name.database", "error"),
    ("data.db", SQLITE, "name.database", "error"),
    ("x.mdb", b"\x00\x01\x00\x00Standard Jet DB\x00", "name.database", "error"),
    ("dump.rdb", b"REDIS0009\xfa", "name.database", "error"),
    ("db.sqlite3-wal", b"7\x7f\x06\x82", "name.database", "error"),
    ("app.bak", SQLITE, "name.database", "error"),
    ("old/data", SQLITE, "name.database", "error"),
    (
        "dump.sql",
        b"-- PostgreSQL database dump\nCREATE TABLE x();\nCOPY public.users (id) FROM stdin;\n1\n\\.\n",
        "name.database-dump",
        "error",
    ),
    ("x.sql", b"-- MySQL dump 10.13\nCREATE TABLE x;\nINSERT INTO `x` VALUES (1);\n", "name.database-dump", "error"),
    ("x.sql.gz", b"\x1f\x8b", "name.database-dump", "error"),
    ("prod.dump", b"PGDMP\x01", "name.database-dump", "error"),
    ("prod.bak", b"PGDMP", "name.database-dump", "error"),
    ("backup.sql", b"--\n-- PostgreSQL database dump\n--\nINSERT INTO x VALUES(1);", "name.database-dump", "error"),
    ("backups/2024.tar.gz", b"\x1f", "name.backup", "error"),
    ("backups/db.sql", b"select", "name.backup", "error"),
    ("backup_20240102.zip", b"PK", "name.backup", "error"),
    ("site-backup.tar.gz", b"\x1f", "name.backup", "error"),
    ("settings.py.bak", b"x", "name.backup-copy", "warning"),
    ("a.txt~", b"x", "name.backup-copy", "warning"),
    ("a.py.orig", b"x", "name.backup-copy", "warning"),
    (".a.py.swp", b"b0VIM", "name.backup-copy", "warning"),
    (".DS_Store", b"\x00", "name.debris", "warning"),
    ("Thumbs.db", b"\xd0", "name.debris", "warning"),
    ("desktop.ini", b"[", "name.debris", "warning"),
    ("null", b"", "name.debris", "warning"),
    ("nul", b"", "name.device-name", "warning"),
    ("NUL", b"", "name.device-name", "warning"),
    ("con", b"", "name.device-name", "warning"),
    ("aux", b"", "name.device-name", "warning"),
    ("src/nul.txt", b"x", "name.device-name", "warning"),
    ("docs/.DS_Store", b"", "name.debris", "warning"),
    (".aws/credentials", b"[default]\naws_access_key_id=x", "name.cloud-credentials", "error"),
    ("credentials.csv", b"User name,Access key ID,Secret access key\n", "name.cloud-credentials", "error"),
    ("accessKeys.csv", b"Access key ID,Secret access key\n", "name.cloud-credentials", "error"),
    ("kim_accessKeys.csv", b"\xef\xbb\xbfAccess key ID,Secret access key\n", "name.cloud-credentials", "error"),
    ("application_default_credentials.json", b'{"a":1}', "name.cloud-credentials", "error"),
    ("azureProfile.json", b'{"a":1}', "name.cloud-credentials", "error"),
    (".boto", b"[C]\nx", "name.cloud-credentials", "error"),
    (".s3cfg", b"x", "name.cloud-credentials", "error"),
    (".dockercfg", b'{"x":{"auth":"dXNlcjpwYXNz"}}', "name.access-file", "error"),
    (".docker/config.json", b'{"auths":{"x":{"auth":"dXNlcjpwYXNzd29yZA=="}}}', "name.access-file", "error"),
    (".npmrc", b"//r/:_authToken=abc123def\n", "name.access-file", "error"),
    (".pypirc", b"[pypi]\npassword = abcdef\n", "name.access-file", "error"),
    (".netrc", b"machine a login b password cdef\n", "name.access-file", "error"),
    ("_netrc", b"machine a\nlogin b\npassword cdef\n", "name.access-file", "error"),
    (".pgpass", b"h:5432:d:u:pass1\n", "name.access-file", "error"),
    (".my.cnf", b"[client]\npassword=abcd\n", "name.access-file", "error"),
    (".git-credentials", b"https://u:pass1@github.com\n", "name.access-file", "error"),
    (".htpasswd", b"admin:$apr1$abc$def\n", "name.password-list", "error"),
    ("pip.conf", b"[global]\nindex-url=https://u:pass1@x/simple\n", "name.access-file", "error"),
    (
        "auth.json",
        b'{"github-oauth":{"github.com":"x"},"http-basic":{"a":{"username":"b","password":"cdefg"}}}',
        "name.access-file",
        "error",
    ),
    (".kube/config", b"users:\n- user:\n    client-key-data: LS0tLS1CRUdJTg==\n", "name.kubeconfig", "error"),
    ("kubeconfig", b"    token: eyJabcdefg\n", "name.kubeconfig", "error"),
    ("terraform.tfstate", b"{}", "name.terraform-state", "error"),
    ("terraform.tfstate.backup", b"{}", "name.terraform-state", "error"),
    (
        "sa.json",
        b'{"type": "service_account","private_key": "-----BEGIN ' + b"PRIVATE " + b'KEY-----"}',
        "name.service-account",
        "error",
    ),
    ("cookies.txt", b"# Netscape HTTP Cookie File\n", "name.cookies", "error"),
    ("Cookies", SQLITE, "name.cookies", "error"),
    (".bash_history", b"ls", "name.shell-history", "error"),
    (".zsh_history", b"ls", "name.shell-history", "error"),
    (".python_history", b"", "name.shell-history", "error"),
    (".psql_history", b"x", "name.shell-history", "error"),
    ("core", b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00>\x00", "name.memory-dump", "error"),
    ("core.1234", b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00>\x00", "name.memory-dump", "error"),
    ("java_pid12.hprof", b"JAVA", "name.memory-dump", "error"),
    ("x.pcap", b"\xd4\xc3\xb2\xa1", "name.traffic", "error"),
    ("x.pcapng", b"\n\r\r\n", "name.traffic", "error"),
    ("node_modules/a/index.js", b"x", "name.dependencies", "warning"),
    ("web/node_modules/.env", b"x", "name.dependencies", "warning"),
    ("docs/비밀번호.txt", b"x", "name.password-file", "error"),
    ("비번 목록.xlsx", b"x", "name.password-file", "error"),
    (".venv/lib/x.py", b"x", "name.dependencies", "warning"),
    ("venv/bin/python", b"x", "name.dependencies", "warning"),
    ("a.har", b'{"log": {"entries": []}}', "name.traffic", "error"),
    (".vault_pass", b"xx", "name.password-file", "error"),
    ("wallet.dat", b"\x00", "name.keystore", "error"),
    ("x.ovpn", b"<key>", "name.private-key", "error"),
    ("office.ovpn", b"<tls-auth>\n-----BEGIN OpenVPN Static key V1-----\n", "name.private-key", "error"),
    ("deploy_key", PRIVATE, "name.private-key", "error"),
    ("keys/github_deploy_key", PRIVATE, "name.private-key", "error"),
    ("계정정보.xlsx", b"PK", "name.password-file", "error"),
    ("서버접속정보.txt", b"x", "name.password-file", "error"),
    ("운영 계정정보 목록.hwp", b"x", "name.password-file", "error"),
    ("secrets.txt", b"x", "name.password-file", "error"),
    ("rootpw.txt", b"x", "name.password-file", "error"),
    ("etc/ppp/chap-secrets", b"x", "name.password-file", "error"),
    ("postfix/sasl_passwd", b"x", "name.password-file", "error"),
    ("youtube.cookies.txt", b"# Netscape HTTP Cookie File\n", "name.cookies", "error"),
    ("vendor/bundle/ruby/3.3.0/x.rb", b"x", "name.dependencies", "warning"),
    (".Spotlight-V100/x", b"x", "name.debris", "warning"),
    (".idea/workspace.xml", b"<project/>", "name.debris", "warning"),
    ("backups/2024-01-01/users.txt", b"x", "name.backup", "error"),
    ("backups/shop_20240101", b"x", "name.backup", "error"),
    (
        "dump.sql",
        "-- MySQL dump 10.13\nINSERT INTO `a` VALUES (1);\n".encode("utf-16"),
        "name.database-dump",
        "error",
    ),
    ("database.dump", b"x", "name.database-dump", "error"),
    ("db_backup.tar.gz", b"x", "name.database-dump", "error"),
    ("localhost-key.pem", PRIVATE, "name.private-key", "error"),
    ("backup/users.csv", b"a", "name.backup", "error"),
    ("a.swp", b"x", "name.backup-copy", "warning"),
    ("src/__pycache__/a.pyc", b"", "name.debris", "warning"),
]
FINE: list[tuple[str, bytes]] = [
    ("client-template.ovpn", b"client\nremote vpn.acme.kr\nkey client.key\n"),
    ("deploy_key", b"Where the key is kept: see the wiki.\n"),
    ("계정관리.md", b"x"),
    ("비밀번호_정책.md", b"x"),
    (".idea/inspectionProfiles/x.xml", b"x"),
    ("backups/README", b"x"),
    ("backups/models.py", b"x"),
    ("src/backups/list.vue", b"x"),
    ("vendor/bundle.rb", b"x"),
    ("env.ts", b"x"),
    ("environment.py", b"x"),
    ("backup.py", b"x"),
    ("keys.test.js", b"x"),
    ("public.pem", b"-----BEGIN PUBLIC KEY-----\n"),
    ("id_rsa.pub", b"ssh-rsa"),
    ("ca.pem", CERTIFICATE),
    ("cert.crt", CERTIFICATE),
    (".env.example", b"x"),
    (".env.sample", b"x"),
    (".env.template", b"x"),
    (".env.dist", b"x"),
    ("env.example", b"x"),
    (".env.production.example", b"x"),
    (
        ".env.production",
        b"# for everybody\r\nNEXT_PUBLIC_API_URL=https://shop.example.com\r\n\r\nVITE_TITLE='shop'\r\n",
    ),
    ("src/i18n.key", b"greeting=hello"),
    ("locale.key", b"greeting=hello"),
    ("example.env", b"x"),
    (".env-example", b"x"),
    (".env.vault", b"x"),
    ("src/env.d.ts", b"x"),
    (".envrc", b"x"),
    ("schema.sql", b"CREATE TABLE x();"),
    ("schema2.sql", b"-- PostgreSQL database dump\nCREATE TABLE x();\n"),
    (
        "migrations/0001.sql",
        b"INSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\nINSERT INTO a VALUES(1);\n",
    ),
    ("slides.key", b"PK\x03\x04..."),
    ("license.key", b"-----BEGIN PUBLIC KEY-----"),
    (".npmrc", b"//r/:_authToken=${NPM_TOKEN}\nsave-exact=true\n"),
    (".npmrc", b"omit-lockfile-registry-resolved=true\n"),
    ("pip.conf", b"[global]\nindex-url=https://packages.acme.kr/simple\n"),
    ("auth.json", b"{}"),
    ("auth.json", b'{"title":"Login"}'),
    ("core", b"text"),
    ("core/index.ts", b"x"),
    ("src/core.py", b"x"),
    ("credentials.csv", b"name,age\n"),
    ("kubeconfig.yaml", b"clusters: []\n"),
    ("cookies.txt", b"chocolate chip"),
    ("src/cookies.ts", b"x"),
    ("debug.keystore", b"\xfe"),
    ("words.db", b"plain text of words\n"),
    ("data.json", b"{}"),
    ("package.json", b'{"name":"x"}'),
    ("release.asc", b"-----BEGIN PGP SIGNATURE-----"),
    ("pub.asc", b"-----BEGIN PGP PUBLIC KEY BLOCK-----"),
    ("main.tf", b"x"),
    ("prod.tfvars", b"x"),
    ("app/backups/views.py", b"x"),
    ("backup.sh", b"x"),
    ("history.md", b"x"),
    ("notes.txt", b"x"),
    ("keyboard.ts", b"x"),
    ("console.ts", b"x"),
    ("nullable.ts", b""),
    ("auxiliary.c", b""),
    ("app.config.js", b""),
    ("null.ts", b""),
    ("environments/environment.prod.ts", b""),
    ("vendor/x.go", b""),
    ("lib/env/index.ts", b""),
    ("dumps.py", b""),
    ("dump.ts", b""),
    ("threshold.txt", b"x"),
    ("docker/config.json", b'{"a":1}'),
    ("my.cnf", b"[mysqld]\nport=3306\n"),
    ("LICENSE", b"MIT"),
    ("Makefile", b"x"),
    ("my.cnf", b"[mysqld]\nskip-grant\n"),
    ("secret.yaml", b"a"),
    ("backups/README.md", b"x"),
    ("token.ts", b""),
    ("id_rsa_test.go", b""),
    ("public.key", b"-----BEGIN PGP PUBLIC KEY BLOCK-----"),
    ("test.http", b""),
    ("src/locale/con_KR.json", b""),
    ("com.example.app.json", b""),
]


def never() -> bytes:
    raise AssertionError("the name alone tells")


@pytest.mark.parametrize(
    ("path", "beginning", "rule", "severity"), FOUND, ids=[f"{case[0]} {case[1][:16]!r}" for case in FOUND]
)
def test_a_file_that_must_not_be_in_git_is_found(path: str, beginning: bytes, rule: str, severity: str) -> None:
    found = check_name(path, len(beginning), lambda: beginning)
    assert found is not None
    assert (found.rule, found.severity, found.line) == (rule, severity, None)
    assert found.message and found.why and found.fix


@pytest.mark.parametrize(("path", "beginning"), FINE, ids=[f"{case[0]} {case[1][:16]!r}" for case in FINE])
def test_a_file_that_belongs_into_git_is_fine(path: str, beginning: bytes) -> None:
    assert check_name(path, len(beginning), lambda: beginning) is None


@pytest.mark.parametrize(
    "path", [".env", "id_rsa", "terraform.tfstate", ".bash_history", ".DS_Store", "node_modules/a.js"]
)
def test_a_file_is_not_read_when_its_name_tells(path: str) -> None:
    assert check_name(path, 100, never) is not None


@pytest.mark.parametrize("path", ["src/app.ts", "README.md", "a/b/main.py", "style.css", "logo.png"])
def test_a_usual_file_is_not_read(path: str) -> None:
    assert check_name(path, 100, never) is None


def test_a_file_is_read_at_most_once() -> None:
    reads: list[str] = []

    def read() -> bytes:
        reads.append("once")
        return CERTIFICATE

    check_name("server.pem.bak", 10, read)
    assert reads == ["once"]


@pytest.mark.parametrize(
    ("mebibytes", "severity"), [(49, None), (50, "warning"), (99, "warning"), (100, "error"), (3000, "error")]
)
def test_large_files_are_judged_as_github_judges_them(mebibytes: int, severity: str | None) -> None:
    found = check_name("video.mp4", mebibytes * 1024 * 1024, never)
    assert (found.severity if found else None) == severity


def test_all_files_of_a_folder_of_dependencies_get_the_same_sentence() -> None:
    first = check_name("web/node_modules/a/index.js", 1, never)
    second = check_name("web/node_modules/b/.env", 1, never)
    assert first is not None
    assert first == second
    assert "web/node_modules" in first.message


def test_a_schema_is_code_and_a_dump_with_rows_is_not() -> None:
    head = b"--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE users (id int);\n"
    assert check_name("db.sql", len(head), lambda: head) is None
    rows = head + b"COPY public.users (id) FROM stdin;\n1\n\\.\n"
    assert check_name("db.sql", len(rows), lambda: rows) is not None


def test_a_dump_whose_rows_are_further_down_is_found_by_its_length() -> None:
    head = (b"-- MySQL dump 10.13\n" + b"CREATE TABLE t (id int);\n" * 9000)[:LOOKED_AT_BYTES]
    assert check_name("db.sql", 9_000_000, lambda: head) is not None


def test_a_name_is_told_in_any_case_and_with_any_mark_of_a_copy() -> None:
    for name in ("ID_RSA", "Id_Rsa.Bak", "id_rsa~", "id_rsa (1)", "id_rsa.old.bak"):
        found = check_name(f"keys/{name}", 10, lambda: PRIVATE)
        assert found is not None and found.rule == "name.private-key", name
