"""The tasks people type, one module for each namespace: parse, call one function, choose the exit code.

`namespace` is what a project's own tasks.py imports: `from shipper.tasks import namespace`.
"""

from __future__ import annotations

from invoke.collection import Collection

from shipper.tasks import aws, check, env, hooks, host, init, lock, releases, report, sandbox, ship

namespace = Collection(
    ship.ship,
    ship.plan,
    ship.build,
    ship.status,
    ship.rollback,
    ship.logs,
    releases.releases,
    releases.diff,
    releases.open_site,
    check.check,
    init.init,
    report.report,
    aws=Collection("aws", ecr=Collection("ecr", aws.create)),
    env=Collection.from_module(env, name="env"),
    hooks=Collection.from_module(hooks, name="hooks"),
    host=Collection.from_module(host, name="host"),
    lock=Collection.from_module(lock, name="lock"),
    sandbox=Collection.from_module(sandbox, name="sandbox"),
)

__all__ = ["namespace"]
