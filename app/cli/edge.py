"""What every command shares: the platform of this process, a tenant by its name, errors said plainly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from app.domain.errors import DomainError, InvalidInput
from app.domain.organisation import ROOT_PATH, Actor, Grant, Role, TenantId
from app.settings import Settings, SettingsError

if TYPE_CHECKING:
    from app.bootstrap import Platform

_SHOWN_FAULTS: Final = 50


@dataclass(frozen=True, slots=True)
class PlatformHandle:
    """Builds the platform when a command first needs it; a test hands in its own."""

    build: Callable[[], Platform]

    @classmethod
    def of_environment(cls) -> PlatformHandle:
        def build() -> Platform:
            from app.bootstrap import build_platform

            return build_platform(Settings.from_env())

        return cls(build)


def platform() -> Platform:
    """The platform this command works on. Raises click.ClickException for unusable settings."""
    context = click.get_current_context()
    handle = context.obj or PlatformHandle.of_environment()
    try:
        built: Platform = handle.build()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    return built


def tenant_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--tenant SLUG`; may be left out where there is exactly one."""
    return click.option(
        "--tenant", "tenant", metavar="SLUG", help="The institution, where there are several."
    )(command)


def tenant_named(found: Platform, slug: str | None) -> TenantId:
    """The tenant of this slug, or the only one there is."""
    from sqlalchemy import select

    from app.models.tenant import Tenant

    with found.sessions() as session:
        tenants = {one.slug: one.id for one in session.scalars(select(Tenant).order_by(Tenant.slug))}
    if slug is not None and slug in tenants:
        return TenantId(tenants[slug])
    if slug is None and len(tenants) == 1:
        return TenantId(next(iter(tenants.values())))
    if not tenants:
        raise click.UsageError("there is no tenant yet: `imprimatur tenant create` makes one")
    known = ", ".join(tenants)
    raise click.UsageError(f"say which institution with --tenant: {known}")


def terminal_actor(tenant_id: TenantId, role: Role = Role.ADMINISTRATOR) -> Actor:
    """Whoever can run this command owns the machine; the audit trail says it was the command line."""
    return Actor(
        tenant_id=tenant_id,
        name="system:command-line",
        duty="command-line",
        grants=(Grant(role, ROOT_PATH),),
    )


class Refused(click.ClickException):
    """A DomainError at the terminal: code, reason, remedy, and every fault by row and column."""

    exit_code = 1

    def __init__(self, error: DomainError) -> None:
        lines = [f"{error.code}: {error.said(error.reason)}"]
        if isinstance(error, InvalidInput):
            lines += [
                _fault_line(fault.row, fault.column, fault.reason) for fault in error.faults[:_SHOWN_FAULTS]
            ]
            if (more := len(error.faults) - _SHOWN_FAULTS) > 0:
                lines.append(f"  … 另有 {more} 处")
        if error.remedy:
            lines.append(error.said(error.remedy))
        super().__init__("\n".join(lines))


def _fault_line(row: int | None, column: str | None, reason: str) -> str:
    place = f"第 {row} 行 " if row is not None else ""
    return f"  {place}{f'【{column}】' if column else ''}{reason}"


class ImprimaturGroup(click.Group):
    """A group whose commands are imported when they are called, and whose errors are said plainly."""

    def __init__(self, *args: Any, sources: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sources = sources or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.sources, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from importlib import import_module

        source = self.sources.get(cmd_name)
        if source is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = source.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DomainError as error:
            raise Refused(error) from error
