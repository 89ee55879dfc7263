"""Every mapped class, so that one import of the package completes the metadata."""

from app.models import (
    advisor,
    annotation,
    asset,
    audit,
    check,
    checkpoint,
    edition,
    organisation,
    piece,
    publication,
    repeat,
    review,
    template,
    tenant,
    tracking,
    user,
)
from app.models.base import Base

__all__ = [
    "Base",
    "advisor",
    "annotation",
    "asset",
    "audit",
    "check",
    "checkpoint",
    "edition",
    "organisation",
    "piece",
    "publication",
    "repeat",
    "review",
    "template",
    "tenant",
    "tracking",
    "user",
]
