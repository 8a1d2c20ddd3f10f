"""nginx's two files for an app: what is at http level with the plain server block, and the snippet of all blocks."""

from __future__ import annotations

from dataclasses import dataclass

from shipper.config.project import Project
from shipper.config.target import Target
from shipper.render.templates import fill


@dataclass(frozen=True)
class SiteShape:
    """What the exported site needs of nginx.

    `trailing_slash`: pages are folders with an index.html (field note N8). `single_page`: unknown paths get
    index.html. `not_found`: there is a 404.html. `immutable`: a regular expression for the paths of content-hashed
    assets, "" for none.
    """

    trailing_slash: bool = True
    single_page: bool = False
    not_found: bool = False
    immutable: str = ""


def nginx_files(project: Project, target: Target, site: SiteShape | None, *, ipv6: bool) -> dict[str, str]:
    """Return the texts of the two files as {"http": ..., "server": ...}; `ipv6` is whether the server has it at all."""
    nginx, backend = project.nginx, project.backend
    static = backend.static_files if backend else None
    wanted = dict.fromkeys((*backend.prefixes, *nginx.websockets)) if backend else {}
    # nginx refuses two locations of one name; collected files are nginx's to serve.
    prefixes = [prefix for prefix in wanted if not static or prefix != static.url]
    shape = site or SiteShape()
    values = {
        "app": project.name,
        "variable": "shipper_" + project.name.replace("-", "_"),
        "prefixes": prefixes,
        "websockets": nginx.websockets if backend else (),
        "rate": "" if nginx.rate == "off" or not prefixes else nginx.rate,
        "burst": nginx.burst,
        "body_size": nginx.body_size,
        "read_timeout": nginx.read_timeout,
        "server_name": target.server_name,
        "nginx_folder": "/etc/nginx",
        "ipv6": ipv6,
        "static_url": static.url if static else "",
        "site": site is not None,
        "immutable": shape.immutable,
        "style": "folder" if shape.trailing_slash else "html",
        "fallback": "/index.html" if shape.single_page else "=404",
        "not_found": shape.not_found,
    }
    return {"http": fill("nginx/http.conf.j2", **values), "server": fill("nginx/server.conf.j2", **values)}
