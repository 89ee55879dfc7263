"""A permission holds on subtrees, and each role has exactly the ones it needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.organisation import ROLE_PERMISSIONS, Actor, Grant, Permission, Role, Scope

paths = st.lists(st.sampled_from(["A", "B", "C"]), max_size=4).map(
    lambda codes: "/" + "".join(f"{code}/" for code in codes)
)


@given(st.lists(paths, max_size=5), paths)
def test_a_scope_covers_a_path_where_any_of_its_grants_would(held: list[str], asked: str) -> None:
    actor = Actor(None, "x", grants=tuple(Grant(Role.REVIEWER, path) for path in held))
    scope = actor.scope_for(Permission.REVIEW_DECIDE)
    assert scope.covers(asked) == any(asked.startswith(path) for path in held)


def test_a_path_that_only_begins_alike_is_not_covered() -> None:
    assert not Scope(("/HQ/S/",)).covers("/HQ/SH/")


def test_the_system_passes_no_permission_check() -> None:
    system = Actor.system("check")
    assert not any(system.may(permission) for permission in Permission)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.REVIEWER, Role.LEGAL}))
def test_only_compliance_and_legal_decide(role: Role) -> None:
    assert Permission.REVIEW_DECIDE not in ROLE_PERMISSIONS[role]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.REVIEWER}))
def test_only_a_reviewer_clears_a_design(role: Role) -> None:
    assert Permission.TEMPLATE_CLEAR not in ROLE_PERMISSIONS[role]


def test_no_role_both_makes_and_decides() -> None:
    making = {Permission.PIECE_MAKE, Permission.PIECE_MAKE_MASTER, Permission.TEMPLATE_PUBLISH}
    for role, permissions in ROLE_PERMISSIONS.items():
        assert not (making & permissions and Permission.REVIEW_DECIDE in permissions), role


def test_an_auditor_reads_and_never_acts() -> None:
    acting = {
        Permission.TEMPLATE_PUBLISH,
        Permission.PIECE_MAKE,
        Permission.PIECE_MAKE_MASTER,
        Permission.REVIEW_DECIDE,
        Permission.PUBLISH,
        Permission.TAKE_DOWN,
        Permission.ORGANISATION_MANAGE,
        Permission.USER_MANAGE,
    }
    assert not acting & ROLE_PERMISSIONS[Role.AUDITOR]
