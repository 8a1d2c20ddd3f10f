"""What can be said before the build about the one value that it bakes, the API's URL (field notes B2, B3, B4)."""

from __future__ import annotations

from shipper.build.bake_reads import dynamic_reads, unset_variables, variable_is_read
from shipper.build.bake_values import configuration_wins, loopback_fallbacks, other_values_win
from shipper.build.baking import gather
from shipper.config.project import Workspace
from shipper.findings import Finding

_RULES = (
    variable_is_read,
    configuration_wins,
    other_values_win,
    unset_variables,
    loopback_fallbacks,
    dynamic_reads,
)


def check_sources(workspace: Workspace, api_url: str) -> list[Finding]:
    """Return what can be said before the build about the variables it bakes. Nothing is run and nothing is written.

    `api_url` is the value for the target: a full URL or a path such as "/api". Plain files that are published as
    they are take no variables: an empty list. Raises ConfigError when the frontend's folder is not there.
    """
    baking = gather(workspace, api_url)
    if baking.frontend.preset == "command":
        return list(variable_is_read(baking)) if baking.variable else []
    if not baking.preset.env_object:
        return []
    return [finding for rule in _RULES for finding in rule(baking)]
