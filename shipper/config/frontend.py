"""`[frontend]`: an app that exports to static files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shipper.config.model import Model
from shipper.config.types import Folder, VariableName


class AllowedUrl(Model):
    """`[[frontend.allow]]`: an address in the built files that is meant to be there."""

    url: str = Field(
        min_length=4,
        description="the address as it stands in the built file, such as `http://localhost:3000`",
    )
    reason: str = Field(min_length=3, description="why it may stay; shown when somebody asks")


class Frontend(Model):
    """`[frontend]`: an app that exports to static files."""

    path: Folder = Field("frontend", description="the folder with package.json (or the files, for 'static')")
    preset: Literal["next", "vite", "static"] = Field(description="how it is built")
    api_url_variable: VariableName | None = Field(
        None,
        description=(
            "the variable that the source reads for the API's URL, such as `NEXT_PUBLIC_API_URL` or `VITE_API_URL`. "
            "The target's `api_url` is baked into it"
        ),
    )
    variables: dict[VariableName, str] = Field(
        default_factory=dict,
        description="more variables to bake. Everybody who opens the site can read them: never a secret",
    )
    command: tuple[str, ...] | None = Field(
        None,
        description='the build command, a word for each element: `["npm", "run", "build"]`. There is no shell; '
        "default: the preset's",
    )
    output: Folder | None = Field(
        None, description="the folder that the build writes, inside `path`; default: the preset's"
    )
    hashed: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$")] | None = Field(
        None,
        description=(
            "the folder of the site whose files are all named by their content, such as `assets`. Browsers keep them "
            "for a year, and those of earlier releases stay reachable for tabs that are open; default: the preset's"
        ),
    )
    source_maps: bool = Field(False, description="whether *.map files may be published")
    allow: tuple[AllowedUrl, ...] = Field((), description="addresses in the built files that are meant to be there")
