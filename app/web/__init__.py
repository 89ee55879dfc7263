"""The web edge: one blueprint a noun, found here in one list."""

from __future__ import annotations

from flask import Blueprint


def blueprints() -> tuple[Blueprint, ...]:
    """Every blueprint, in the order of their nouns."""
    from app.web import (
        account,
        annotation,
        api,
        archive,
        audit,
        board,
        editions,
        evidence,
        health,
        inspection,
        library,
        links,
        make,
        me,
        metrics,
        notices,
        organisation,
        own_pieces,
        pieces,
        profile,
        recall,
        retention,
        review,
        roster_import,
        route,
        sign_in,
        template,
        today,
        user,
        visitors,
    )

    return (
        account.bp,
        annotation.bp,
        api.bp,
        archive.bp,
        audit.bp,
        board.bp,
        editions.bp,
        evidence.bp,
        health.bp,
        inspection.bp,
        library.bp,
        links.bp,
        make.bp,
        me.bp,
        metrics.bp,
        notices.bp,
        organisation.bp,
        own_pieces.bp,
        pieces.bp,
        profile.bp,
        recall.bp,
        retention.bp,
        review.bp,
        roster_import.bp,
        route.bp,
        sign_in.bp,
        template.bp,
        today.bp,
        user.bp,
        visitors.bp,
    )
