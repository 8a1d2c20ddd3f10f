"""The text of a new `ship.toml`: every key that was found with the place that told it, and what is left to say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from shipper.detect.conflicts import static_url_of
from shipper.detect.found import Found, Problem
from shipper.detect.proposal import Proposal

_COLUMN = 44
_MOST_NAMES = 12
_WIDTH = 118


def render_ship_toml(proposal: Proposal) -> str:
    """Return the text of the file; `shipper.config.load.parse_project` reads it without a finding."""
    parts = [
        _lines(
            "# Everything shipper needs to know about this app. Written by `inv init`; every key: docs/ship-toml.md",
            "",
            _key("name", proposal.name, "folder, user and units on the server"),
        ),
        _problems(proposal.problems),
        _frontend(proposal),
        _backend(proposal),
        _static(proposal),
        _nginx(proposal),
        _target(proposal),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _problems(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    lines = ["# Look at these before the first ship:"]
    for problem in problems:
        lines.append(f"#   {problem.where}  {problem.what}")
        lines += [f"#     -> {line}" if line else "#" for line in problem.fix.splitlines()]
    return "\n".join(_one_line(line).rstrip() for line in lines)


def _frontend(proposal: Proposal) -> str:
    found = proposal.frontend
    if found is None:
        return ""
    manager = f", {found.manager}" if found.manager else ""
    lines = [
        "[frontend]",
        _key("path", found.path),
        _key("preset", found.preset, f"{found.what}{manager}: {found.where}"),
    ]
    if found.api_variable:
        guess = "" if found.api_variable.sure else "; right?"
        lines.append(_key("api_url_variable", found.api_variable.value, f"read at {found.api_variable.where}{guess}"))
        if proposal.api_path:
            lines.append(_key("api_path", proposal.api_path.value, f"as in {proposal.api_path.where}"))
    elif found.preset == "command":
        lines.append('# api_url_variable = "API_URL"   # the variable that the build reads for the API\'s URL, if any')
    if found.command:
        lines.append(_key("command", found.command))
    if found.output:
        lines.append(_key("output", found.output, "the folder that the build writes"))
    if found.hashed:
        lines.append(_key("hashed", found.hashed, "its files are named by their content"))
    if found.single_page:
        lines.append("single_page = true")
    if found.preset == "command" and not found.manager:
        # What such a generator writes holds maps of its theme's public libraries, and none of somebody's own code.
        lines.append(_bare("source_maps = true", "the theme's own"))
    if found.variables:
        lines += [
            "",
            "# Also read by the source, and public; what no env file sets belongs here.",
            "# [frontend.variables]",
        ]
        lines += [f'# {one.value} = "..."   # {one.where}' for one in found.variables[:_MOST_NAMES]]
    return _lines(*lines)


def _backend(proposal: Proposal) -> str:
    found = proposal.backend
    if found is None:
        return ""
    lines = ["[backend]"]
    if proposal.service and proposal.compose:
        service = proposal.service
        lines.append(_key("runtime", "compose", f"{found.what} in a container"))
        if not proposal.compose.is_default:
            lines.append(_key("compose_file", proposal.compose.path))
        lines.append(_key("service", service.name, service.where))
        lines.append(
            _key("port", service.port or 8000, "" if service.port else "a guess: the port inside the container")
        )
        if beside := proposal.compose.beside(service):
            lines.append(_key("beside", beside, "built from the same folder"))
        if proposal.compose.stateful:
            lines.append(
                f"# Outlive releases: {', '.join(proposal.compose.stateful)}. To say it yourself: stateful = [...]"
            )
    else:
        lines.append(_key("path", found.path, found.where))
        if found.kind == "django":
            lines.append(_key("framework", "django", "migrate and collectstatic"))
        lines.append(_key("app", found.app) if found.app else _key("command", found.command))
        if found.requirements:
            lines.append(_key("requirements", found.requirements))
    lines += _of_both(proposal)
    return _lines(*lines)


def _of_both(proposal: Proposal) -> list[str]:
    found, health = proposal.backend, proposal.health
    assert found is not None and health is not None
    lines = []
    if found.migrate:
        words = found.migrate
        if proposal.service and words[:2] == ("python", "-m"):
            words = words[2:]
        lines.append(_key("migrate", words, found.migrate_where))
    said = health.where if health.sure else f"a guess: {health.where or 'no route for it was found'}"
    lines.append(_key("health", health.value, said))
    told = [one.where for one in proposal.prefixes if one.where]
    remark = ", ".join(dict.fromkeys(told)) if told else "what nginx passes on to the backend"
    lines.append(_key("prefixes", [one.value for one in proposal.prefixes], remark))
    required = proposal.variables.required
    if required:
        lines += ["# Nothing is shipped without these; the source has no default for them.", "required_env = ["]
        lines += [f"    {_value(one.value)},  # {one.where}" for one in required]
        lines.append("]")
    if proposal.variables.named:
        names = [one.value for one in proposal.variables.named]
        lines += _wrapped(f"# Also in {', '.join(proposal.variables.examples)}: ", names)
    return lines


def _static(proposal: Proposal) -> str:
    found = proposal.backend
    if found is None or found.kind != "django" or proposal.service:
        return ""
    lines = []
    url, root = static_url_of(found), found.static_root
    if url != "/static/" and found.static_url:
        lines.append(_key("url", url, f"STATIC_URL, {found.static_url.where}"))
    if root and root.sure and root.value and root.value != "staticfiles":
        lines.append(_key("root", root.value, f"STATIC_ROOT, {root.where}"))
    return _lines("[backend.static]", *lines) if lines else ""


def _nginx(proposal: Proposal) -> str:
    servers, lines = proposal.servers, []
    if proposal.backend is None:
        return ""
    if servers.body_size:
        lines.append(_key("body_size", servers.body_size.value.lower(), servers.body_size.where))
    if servers.read_timeout:
        lines.append(_key("read_timeout", int(servers.read_timeout.value), servers.read_timeout.where))
    if sockets := _websockets(proposal):
        lines.append(_key("websockets", [one.value for one in sockets], ", ".join(one.where for one in sockets)))
    return _lines("[nginx]", *lines) if lines else ""


def _websockets(proposal: Proposal) -> list[Found]:
    """Return the prefixes that carry websockets: nginx's own, and first words of websocket routes with more behind."""
    found = {one.value: one for one in proposal.servers.websockets}
    for route in proposal.backend.routes if proposal.backend else ():
        prefix = f"{route.path.rpartition('/')[0].split('{')[0].split('<')[0]}/".replace("//", "/")
        if route.method == "WEBSOCKET" and prefix != "/" and route.sure:
            found.setdefault(prefix, Found(prefix, route.where))
    return list(found.values())


def _target(proposal: Proposal) -> str:
    wishes, servers = proposal.wishes, proposal.servers
    domain = Found(wishes.domain, "") if wishes.domain else servers.domain
    user = Found(wishes.user, "") if wishes.user else servers.user
    lines = ["[targets.production]", _key("host", wishes.host or "203.0.113.10", "" if wishes.host else "your server")]
    lines.append(_key("user", user.value, user.where and f"{user.where}: right?") if user else '# user = "ubuntu"')
    lines.append(_key("key", wishes.key) if wishes.key else '# key = "~/.ssh/production.pem"')
    lines.append(_key("domain", domain.value, domain.where) if domain else '# domain = "app.example.com"')
    if domain and servers.https:
        lines.append(_key("url", f"https://{domain.value}", "your nginx has certificates"))
    text = _lines(*lines)
    if wishes.host:
        return text
    intro = (
        "# A server of your own. Until this is there, the sandbox is meant: a practice server in a container here.\n#\n"
    )
    return intro + "\n".join(f"# {line.removeprefix('# ')}".rstrip() for line in text.splitlines())


def _lines(*lines: str) -> str:
    return "\n".join(lines)


def _key(name: str, value: str | int | Sequence[str], remark: str = "") -> str:
    text = f"{name} = {_value(value)}"
    return f"{text:<{_COLUMN}} # {_one_line(remark)}" if remark else text


def _bare(text: str, remark: str) -> str:
    return f"{text:<{_COLUMN}} # {remark}"


def _value(value: str | int | Sequence[str]) -> str:
    """Return a value as TOML: JSON's strings are TOML's basic strings, https://toml.io/en/v1.0.0#string."""
    if isinstance(value, str | int):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(_value(one) for one in value)}]"


def _one_line(text: str) -> str:
    """Return text for a comment: TOML allows no control characters there, and file names may hold line ends."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _wrapped(intro: str, names: Iterable[str]) -> list[str]:
    lines, line = [], intro
    for name in names:
        if len(line) + len(name) > _WIDTH:
            lines.append(line.rstrip())
            line = "#   "
        line += f"{name}, "
    return [*lines, line.rstrip(", ")]
