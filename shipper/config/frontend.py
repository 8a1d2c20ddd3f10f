"""`[frontend]`: an app that exports to static files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from shipper.config.model import Model
from shipper.config.types import Folder, VariableName

PresetName = Literal["next", "vite", "cra", "astro", "command", "static"]


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
    preset: PresetName = Field(description="how it is built")
    api_url_variable: VariableName | None = Field(
        None,
        description=(
            "the variable that the source reads for the API's URL, such as `NEXT_PUBLIC_API_URL` or `VITE_API_URL`. "
            "The target's `api_url` is baked into it"
        ),
    )
    api_path: Annotated[str, StringConstraints(pattern=r"^(?:/[A-Za-z0-9._~-]+)+$")] | None = Field(
        None, description="what the source expects at the end of the API's URL, such as '/api'"
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
    single_page: bool | None = Field(
        None, description="whether index.html answers for every path without a file; default: the preset's own"
    )
    source_maps: bool = Field(False, description="whether *.map files may be published")
    allow: tuple[AllowedUrl, ...] = Field((), description="addresses in the built files that are meant to be there")

    @model_validator(mode="after")
    def _what_a_command_needs(self) -> Frontend:
        if self.preset == "command" and not (self.command and self.output):
            raise ValueError(
                "expected 'command' and 'output' with preset = 'command': what builds the site, and the folder it "
                "writes, such as ['hugo', '--minify'] and 'public'"
            )
        if self.command is not None and not self.command:
            raise ValueError("expected at least one word in 'command', such as ['npm', 'run', 'build']")
        return self
