"""The web edge: one blueprint a noun, found here in one list."""

from __future__ import annotations

from flask import Blueprint


def blueprints() -> tuple[Blueprint, ...]:
    """Every blueprint, in the order of their nouns."""
    from app.web import board, health, links, metrics, sign_in

    return (board.bp, health.bp, links.bp, metrics.bp, sign_in.bp)
