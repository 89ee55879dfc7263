"""The command `imprimatur`: one file a command, each an edge like any other.

Exit codes: 0 done, 1 refused or failed, 2 called wrongly; `check` and `recheck` add 10 and 20.
"""

from __future__ import annotations

import click

from app.cli.edge import ImprimaturGroup

_COMMANDS = {
    "audit": "app.cli.audit:audit",
    "check": "app.cli.check:check",
    "evidence": "app.cli.evidence:evidence",
    "import": "app.cli.roster_import:import_group",
    "migrate": "app.cli.start:migrate",
    "recheck": "app.cli.recheck:recheck",
    "render": "app.cli.render:render",
    "rules": "app.cli.rules:rules",
    "template": "app.cli.template:template",
    "tenant": "app.cli.tenant:tenant",
    "up": "app.cli.start:up",
    "user": "app.cli.user:user",
}


@click.group(cls=ImprimaturGroup, sources=_COMMANDS)
def imprimatur() -> None:
    """Imprimatur 印信: reviewed, personal, traceable marketing for financial institutions."""


def main() -> None:
    """Run the command of the console script."""
    imprimatur(prog_name="imprimatur")
