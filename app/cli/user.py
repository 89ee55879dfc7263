"""`imprimatur user`: the first administrator, and a way back in for whoever is locked out."""

from __future__ import annotations

from uuid import UUID

import click
from sqlalchemy import select

from app.cli.edge import platform, tenant_named, tenant_option, terminal_actor
from app.domain.errors import Missing
from app.domain.organisation import Role
from app.models.organisation import OrgUnit
from app.models.user import User
from app.services.unit_of_work import UnitOfWork
from app.services.user import GRANTABLE, RoleOn, create_user, reset_password

_password = click.option(
    "--password",
    prompt="密码",
    hide_input=True,
    confirmation_prompt="再输一次",
    envvar="IMPRIMATUR_NEW_PASSWORD",
    help="Asked for when not given; IMPRIMATUR_NEW_PASSWORD for scripts.",
)


@click.group
def user() -> None:
    """People who sign in."""


@user.command
@click.argument("login")
@click.option("--name", required=True, help="The person's name.")
@click.option(
    "--role",
    "roles",
    type=click.Choice(sorted(role.value for role in GRANTABLE)),
    multiple=True,
    required=True,
    help="May be given several times.",
)
@click.option(
    "--unit", "unit_code", metavar="CODE", help="On this unit and below.  [default: the head office]"
)
@tenant_option
@_password
def create(
    login: str, *, name: str, roles: tuple[str, ...], unit_code: str | None, tenant: str | None, password: str
) -> None:
    """Add a person with their roles."""
    found = platform()
    with found.unit_of_work(terminal_actor(tenant_named(found, tenant))) as uow:
        unit_id = _unit(uow, unit_code)
        create_user(
            uow,
            login=login,
            name=name,
            password=password,
            roles=[RoleOn(Role(role), unit_id) for role in roles],
        )
    click.echo(f"{name} ({login}) 可以登录了。")


@user.command("password")
@click.argument("login")
@tenant_option
@_password
def reset(login: str, *, tenant: str | None, password: str) -> None:
    """Give somebody a new password; they are signed out everywhere."""
    found = platform()
    with found.unit_of_work(terminal_actor(tenant_named(found, tenant))) as uow:
        user_id = uow.session.scalar(select(User.id).where(User.login == login))
        if user_id is None:
            raise Missing(noun="user")
        reset_password(uow, user_id, password)
    click.echo(f"{login} 的密码已更新，原有登录全部失效。")


def _unit(uow: UnitOfWork, code: str | None) -> UUID:
    chosen = OrgUnit.code == code if code is not None else OrgUnit.parent_id.is_(None)
    unit_id = uow.session.scalar(select(OrgUnit.id).where(chosen))
    if unit_id is None:
        raise Missing(noun="org_unit")
    return unit_id
