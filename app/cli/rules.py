"""`imprimatur rules`: what the rules are, what one says, and whether a pack holds."""

from __future__ import annotations

from pathlib import Path

import click

from compliance.document import Sector
from compliance.finding import BasisStatus
from compliance.proof import faults_of, unmissed
from compliance.rule import Rule
from compliance.ruleset import Ruleset, RulesetError, load_ruleset, load_with_shared_words


@click.group
def rules() -> None:
    """The rules a text is judged by."""


@rules.command("list")
@click.option(
    "--sector", type=click.Choice([one.value for one in Sector]), help="Only what this sector reads."
)
@click.option("--slug", help="Only the rules of this family in law.")
def list_rules(*, sector: str | None, slug: str | None) -> None:
    """One rule a line: id, severity, sectors, channels, title."""
    ruleset = load_ruleset()
    shown = [rule for rule in ruleset.rules if _concerns(rule, sector) and slug in {None, rule.slug}]
    for rule in shown:
        click.echo(
            f"{rule.id}\t{rule.severity}\t{_names(rule.sectors)}\t{_names(rule.channels)}\t{rule.title}"
        )
    click.echo(f"{len(shown)} rules, version {ruleset.version}, digest {ruleset.digest}", err=True)


@rules.command
@click.argument("rule_id")
def show(rule_id: str) -> None:
    """All that one rule says: its clause, how sure of it we are, its reason and its examples."""
    try:
        rule = load_ruleset().rule(rule_id)
    except KeyError:
        raise click.ClickException(f"no rule has the id {rule_id}") from None
    status = "" if rule.basis_status is BasisStatus.IN_FORCE else "（征求意见稿）"
    click.echo(f"{rule.id}  {rule.title}")
    click.echo(f"severity\t{rule.severity}")
    click.echo(f"sectors\t{_names(rule.sectors)}")
    click.echo(f"channels\t{_names(rule.channels)}")
    click.echo(f"basis\t{rule.basis}{status}")
    click.echo(f"certainty\t{rule.certainty}")
    click.echo(f"reason\t{rule.reason}")
    if rule.suggestion is not None:
        click.echo(f"suggestion\t{rule.suggestion}")
    click.echo(f"frames\t{_names(rule.frames)}")
    for text in rule.examples.violations:
        click.echo(f"stops\t{text}")
    for text in rule.examples.compliant:
        click.echo(f"leaves\t{text}")


@rules.command
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def check(paths: tuple[Path, ...]) -> None:
    """Read packs (the shipped ones without PATHS), try every example, and name the rules nobody would miss.

    Exit 1 where a pack is refused or an example fails.
    """
    try:
        ruleset = load_with_shared_words(paths) if paths else load_ruleset()
    except RulesetError as refused:
        raise click.ClickException(str(refused)) from refused
    failed = _examples_failed(ruleset)
    for rule in unmissed(ruleset):
        click.echo(f"unmissed\t{rule.id}\tother rules of its slug find all its violations")
    examples = sum(len(rule.examples.violations) + len(rule.examples.compliant) for rule in ruleset.rules)
    click.echo(f"{len(ruleset.rules)} rules, {examples} examples, {failed} failed")
    if failed:
        raise click.exceptions.Exit(1)


def _examples_failed(ruleset: Ruleset) -> int:
    failed = 0
    for rule in ruleset.rules:
        for found in faults_of(rule):
            failed += 1
            click.echo(f"fails\t{rule.id}\t{found.text}\t{found.fault}")
    return failed


def _concerns(rule: Rule, sector: str | None) -> bool:
    return sector is None or not rule.sectors or sector in {one.value for one in rule.sectors}


def _names(members: frozenset[str]) -> str:
    return "、".join(sorted(members)) or "all"
