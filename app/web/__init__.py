"""The web edge: one blueprint a noun, found here in one list."""

from __future__ import annotations

from flask import Blueprint


def blueprints() -> tuple[Blueprint, ...]:
    """Every blueprint, in the order of their nouns."""
    from app.web import health, sign_in

    return (health.bp, sign_in.bp)
