"""Who may do what, and on which part of the organisation."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)
UserId = NewType("UserId", UUID)
AdvisorId = NewType("AdvisorId", UUID)
OrgUnitId = NewType("OrgUnitId", UUID)

ROOT_PATH = "/"


class OrgLevel(StrEnum):
    """From the head office down; a unit stands below its parent, and may skip a level."""

    HQ = "hq"
    BRANCH = "branch"
    SUB_BRANCH = "sub_branch"
    OUTLET = "outlet"

    def is_below(self, other: "OrgLevel") -> bool:
        order = list(OrgLevel)
        return order.index(self) > order.index(other)


def child_path(parent_path: str, code: str) -> str:
    """The path of a unit is its ancestors' codes and its own, between slashes."""
    return f"{parent_path}{code}/"


class Role(StrEnum):
    ADVISOR = "advisor"
    BRAND = "brand"
    REVIEWER = "reviewer"
    LEGAL = "legal"
    OPERATOR = "operator"
    BRANCH_HEAD = "branch_head"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Permission(StrEnum):
    CHECK_TEXT = "check:run"
    TEMPLATE_VIEW = "template:view"
    TEMPLATE_PUBLISH = "template:publish"
    TEMPLATE_CLEAR = "template:clear"
    BRAND_MANAGE = "brand:manage"
    PIECE_MAKE = "piece:make"
    PIECE_MAKE_MASTER = "piece:make_master"
    PIECE_VIEW = "piece:view"
    REVIEW_VIEW = "review:view"
    REVIEW_DECIDE = "review:decide"
    ROUTE_MANAGE = "route:manage"
    INSPECT = "inspection:decide"
    PUBLISH = "publication:publish"
    TAKE_DOWN = "publication:take_down"
    RECALL = "recall:make"
    RECALL_VIEW = "recall:view"
    REACH_VIEW = "reach:view"
    REACH_EXPORT = "reach:export"
    ORGANISATION_VIEW = "organisation:view"
    ORGANISATION_MANAGE = "organisation:manage"
    USER_MANAGE = "user:manage"
    AUDIT_VIEW = "audit:view"
    ARCHIVE_VIEW = "archive:view"
    EVIDENCE_EXPORT = "evidence:export"
    HOLD_MANAGE = "hold:manage"
    RETENTION_MANAGE = "retention:manage"
    JOB_VIEW = "job:view"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADVISOR: frozenset({Permission.CHECK_TEXT, Permission.PIECE_MAKE}),
    Role.BRAND: frozenset(
        {
            Permission.CHECK_TEXT,
            Permission.TEMPLATE_VIEW,
            Permission.TEMPLATE_PUBLISH,
            Permission.BRAND_MANAGE,
            Permission.PIECE_MAKE_MASTER,
            Permission.PIECE_VIEW,
        }
    ),
    Role.REVIEWER: frozenset(
        {
            Permission.CHECK_TEXT,
            Permission.TEMPLATE_VIEW,
            Permission.TEMPLATE_CLEAR,
            Permission.PIECE_VIEW,
            Permission.REVIEW_VIEW,
            Permission.REVIEW_DECIDE,
            Permission.INSPECT,
            Permission.TAKE_DOWN,
            Permission.ARCHIVE_VIEW,
            Permission.EVIDENCE_EXPORT,
            Permission.HOLD_MANAGE,
            Permission.RECALL,
            Permission.RECALL_VIEW,
        }
    ),
    Role.LEGAL: frozenset(
        {
            Permission.CHECK_TEXT,
            Permission.TEMPLATE_VIEW,
            Permission.PIECE_VIEW,
            Permission.REVIEW_VIEW,
            Permission.REVIEW_DECIDE,
            Permission.ARCHIVE_VIEW,
            Permission.EVIDENCE_EXPORT,
            Permission.HOLD_MANAGE,
        }
    ),
    Role.OPERATOR: frozenset(
        {
            Permission.CHECK_TEXT,
            Permission.TEMPLATE_VIEW,
            Permission.PIECE_MAKE_MASTER,
            Permission.PIECE_VIEW,
            Permission.PUBLISH,
            Permission.TAKE_DOWN,
            Permission.RECALL,
            Permission.RECALL_VIEW,
            Permission.REACH_VIEW,
            Permission.REACH_EXPORT,
            Permission.ORGANISATION_VIEW,
        }
    ),
    Role.BRANCH_HEAD: frozenset(
        {
            Permission.PIECE_VIEW,
            Permission.RECALL_VIEW,
            Permission.REACH_VIEW,
            Permission.REACH_EXPORT,
            Permission.ORGANISATION_VIEW,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.ORGANISATION_VIEW,
            Permission.ORGANISATION_MANAGE,
            Permission.USER_MANAGE,
            Permission.BRAND_MANAGE,
            Permission.ROUTE_MANAGE,
            Permission.AUDIT_VIEW,
            Permission.ARCHIVE_VIEW,
            Permission.HOLD_MANAGE,
            Permission.RETENTION_MANAGE,
            Permission.JOB_VIEW,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Permission.TEMPLATE_VIEW,
            Permission.PIECE_VIEW,
            Permission.REVIEW_VIEW,
            Permission.RECALL_VIEW,
            Permission.REACH_VIEW,
            Permission.ORGANISATION_VIEW,
            Permission.AUDIT_VIEW,
            Permission.ARCHIVE_VIEW,
            Permission.EVIDENCE_EXPORT,
        }
    ),
}


def permits(role: Role, permission: Permission) -> bool:
    """Whether a role carries a permission, on whatever subtree it is held."""
    return permission in ROLE_PERMISSIONS[role]


@dataclass(frozen=True, slots=True)
class Scope:
    """The subtrees somebody may act on, as path prefixes; empty means nowhere."""

    paths: tuple[str, ...]

    def covers(self, path: str) -> bool:
        return any(path.startswith(prefix) for prefix in self.paths)


@dataclass(frozen=True, slots=True)
class Grant:
    """One role on one subtree."""

    role: Role
    path: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with grants, or the system under a named duty."""

    tenant_id: TenantId | None
    name: str
    user_id: UserId | None = None
    advisor_id: AdvisorId | None = None
    grants: tuple[Grant, ...] = ()
    duty: str | None = None

    @classmethod
    def system(cls, duty: str, tenant_id: TenantId | None = None) -> "Actor":
        """The platform itself doing a named duty; it passes no permission check it is not given."""
        return cls(tenant_id=tenant_id, name=f"system:{duty}", duty=duty)

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def may(self, permission: Permission) -> bool:
        return any(permits(grant.role, permission) for grant in self.grants)

    def scope_for(self, permission: Permission) -> Scope:
        """Where this person holds the permission, the widest subtrees only."""
        paths = sorted({g.path for g in self.grants if permits(g.role, permission)}, key=len)
        widest: list[str] = []
        for path in paths:
            if not any(path.startswith(prefix) for prefix in widest):
                widest.append(path)
        return Scope(tuple(widest))
