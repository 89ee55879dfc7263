"""Every mapped class, so that one import of the package completes the metadata."""

from app.models import (
    absence,
    advisor,
    asset,
    audit,
    check,
    edition,
    inspection,
    organisation,
    piece,
    publication,
    repeat,
    review,
    route,
    template,
    tenant,
    tracking,
    user,
)
from app.models.base import Base

__all__ = [
    "Base",
    "absence",
    "advisor",
    "asset",
    "audit",
    "check",
    "edition",
    "inspection",
    "organisation",
    "piece",
    "publication",
    "repeat",
    "review",
    "route",
    "template",
    "tenant",
    "tracking",
    "user",
]
