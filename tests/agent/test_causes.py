"""What programs and engines really say when they end, and what shipper makes of it for people."""

from __future__ import annotations

import socket

import pytest

from shipper.agent.causes import known_cause

# Each as its program prints it, with a word of what it means and one of what to type.
SAID = {
    "psycopg2, wrong password": (
        'psycopg2.OperationalError: connection to server at "database" (172.18.0.2), port 5432 failed: FATAL:  '
        'password authentication failed for user "music"',
        "refuses the password",
        "inside the database",
    ),
    "asyncpg, wrong password": (
        'asyncpg.exceptions.InvalidPasswordError: password authentication failed for user "music"',
        "refuses the password",
        "inside the database",
    ),
    "MySQL, wrong password": (
        "pymysql.err.OperationalError: (1045, \"Access denied for user 'music'@'172.18.0.3' (using password: YES)\")",
        "refuses the password",
        "inside the database",
    ),
    "Redis, wrong password": (
        "redis.exceptions.AuthenticationError: WRONGPASS invalid username-password pair or user is disabled.",
        "refuses the password",
        "inside the database",
    ),
    "MongoDB, wrong password": (
        "pymongo.errors.OperationFailure: Authentication failed., full error: {'ok': 0.0, 'code': 18}",
        "refuses the password",
        "inside the database",
    ),
    "libpq, no password": (
        'connection to server at "database" (172.18.0.2), port 5432 failed: fe_sendauth: no password supplied',
        "without a password",
        "inv env.push",
    ),
    "libpq, unknown host": (
        'psycopg.OperationalError: could not translate host name "databse" to address: Name or service not known',
        "does not find a host by its name",
        "DATABASE_URL",
    ),
    "Python, unknown host": (
        "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        "does not find a host by its name",
        "DATABASE_URL",
    ),
    "psycopg 3, unknown host": (
        "psycopg.OperationalError: [Errno -2] Name or service not known",
        "does not find a host by its name",
        "DATABASE_URL",
    ),
    "musl, unknown host": (
        'could not translate host name "databse" to address: Name does not resolve',
        "does not find a host by its name",
        "DATABASE_URL",
    ),
    "node, unknown host": (
        "Error: getaddrinfo ENOTFOUND databse\n    at GetAddrInfoReqWrap.onlookup [as oncomplete] (node:dns:109:26)",
        "does not find a host by its name",
        "DATABASE_URL",
    ),
    "libpq, nobody listens": (
        'connection to server at "database" (172.18.0.2), port 5432 failed: Connection refused\n'
        "\tIs the server running on that host and accepting TCP/IP connections?",
        "does not reach its database",
        "inv status",
    ),
    "node, nobody listens": (
        "Error: connect ECONNREFUSED 172.18.0.2:5432",
        "does not reach its database",
        "inv status",
    ),
    "MySQL, nobody listens": (
        "(2003, \"Can't connect to MySQL server on 'database' ([Errno 111] Connection refused)\")",
        "does not reach its database",
        "inv status",
    ),
    "Python, missing variable": (
        "  File \"<frozen os>\", line 685, in __getitem__\nKeyError: 'DATABASE_URL'",
        "A variable that the backend needs is not set",
        "inv env.push",
    ),
    "pydantic-settings, missing variable": (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\ndatabase_url\n"
        "  Field required [type=missing, input_value={}, input_type=dict]",
        "A variable that the backend needs is not set",
        "inv env.push",
    ),
    "Django, missing variable": (
        "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.",
        "A variable that the backend needs is not set",
        "inv env.push",
    ),
    "Spring, missing variable": (
        "java.lang.IllegalArgumentException: Could not resolve placeholder 'DATABASE_URL' in value \"${DATABASE_URL}\"",
        "A variable that the backend needs is not set",
        "inv env.push",
    ),
    "Django, missing module": (
        "django.core.exceptions.ImproperlyConfigured: Error loading psycopg2 or psycopg module\n"
        "ModuleNotFoundError: No module named 'psycopg2'",
        "A module that the backend imports is not there",
        "requirements",
    ),
    "Python, missing module": (
        "ModuleNotFoundError: No module named 'fastapi'",
        "A module that the backend imports is not there",
        "requirements",
    ),
    "node, missing module": (
        "Error: Cannot find module 'express'\nRequire stack:\n- /app/index.js",
        "A module that the backend imports is not there",
        "package.json",
    ),
    "node as ES module, missing module": (
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /app/index.js",
        "A module that the backend imports is not there",
        "package.json",
    ),
    "PostgreSQL, missing table": (
        'sqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedTable) relation "users" does not exist',
        "A table is missing",
        "migrate",
    ),
    "SQLite, missing table": ("sqlite3.OperationalError: no such table: users", "A table is missing", "migrate"),
    "the kernel, other processor": (
        "exec /usr/local/bin/python: exec format error",
        "for another kind of processor",
        "inv host.check",
    ),
    "runc, no such program": (
        'OCI runtime create failed: runc create failed: unable to start container process: exec: "gunicorn": '
        "executable file not found in $PATH: unknown",
        "The container's command is not in the image",
        "CMD or ENTRYPOINT",
    ),
    "the kernel, carriage return": (
        "exec /app/start.sh: no such file or directory",
        "first line ends with a carriage return",
        "LF",
    ),
    "the engine, no such image": (
        "Error response from daemon: pull access denied for music-worker, repository does not exist or may require "
        "'docker login'",
        "An image that a service needs",
        "`image`",
    ),
    "anything, full disk": (
        "OSError: [Errno 28] No space left on device: '/data/rows'",
        "The disk of the server is full",
        "inv host.clean",
    ),
    "PostgreSQL, full disk": (
        'PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device',
        "The disk of the server is full",
        "inv host.clean",
    ),
    "Python, no permission": (
        "PermissionError: [Errno 13] Permission denied: '/app/uploads'",
        "may not read or write",
        "volume",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_what_programs_say_is_understood(case: str) -> None:
    text, what, fix = SAID[case]
    cause = known_cause(f"listens\n{text}\n")
    assert cause is not None
    assert what in cause[0]
    assert fix in cause[1]


@pytest.mark.parametrize(
    "text",
    [
        "listens on 8000",
        "KeyError: 'rows'",
        "GET /api/imports 200",
        "INFO: 3 migrations, no such thing as a free lunch",
        "Traceback (most recent call last):\nValueError: wrong",
    ],
)
def test_a_line_that_says_nothing_known_is_not_explained(text: str) -> None:
    assert known_cause(text) is None


@pytest.mark.parametrize(
    "form",
    [
        "Bind for 127.0.0.1:{port} failed: port is already allocated",
        "Error starting userland proxy: listen tcp4 127.0.0.1:{port}: bind: address already in use",
        "failed to bind host port for 127.0.0.1:{port}:172.18.0.3:7000/tcp: address already in use",
        "Error: listen EADDRINUSE: address already in use :::{port}",
        "[Errno 98] error while attempting to bind on address ('0.0.0.0', {port}): address already in use",
        "[ERROR] Connection in use: ('0.0.0.0', {port})",
    ],
)
def test_a_port_that_is_taken_is_told_with_its_owner(form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        cause = known_cause(form.format(port=port))
    assert cause is not None
    assert f"Port {port}: " in cause[0]
    assert "py" in cause[0].partition(f"Port {port}: ")[2], "the test's own process holds it"
