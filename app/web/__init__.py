"""The web edge: one blueprint a noun, found here in one list."""

from __future__ import annotations

from flask import Blueprint


def blueprints() -> tuple[Blueprint, ...]:
    """Every blueprint, in the order of their nouns."""
    from app.web import (
        account,
        audit,
        board,
        health,
        links,
        metrics,
        organisation,
        roster_import,
        sign_in,
        user,
    )

    return (
        account.bp,
        audit.bp,
        board.bp,
        health.bp,
        links.bp,
        metrics.bp,
        organisation.bp,
        roster_import.bp,
        sign_in.bp,
        user.bp,
    )
