"""A piece from draft to public, through the services, on a real database."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.domain.errors import (
    AlreadyDecided,
    CheckBlocked,
    Ended,
    GateClosed,
    IllegalTransition,
    InvalidInput,
    Missing,
    SelfApproval,
    StaleRevision,
)
from app.domain.organisation import Actor, Role
from app.domain.piece import PieceState
from app.domain.review import Outcome
from app.domain.tracking import Hit, LinkChannel
from app.models.tracking import Event
from app.services.edition import edition_links, edition_of
from app.services.piece import save_piece, submit_for_review
from app.services.publication import publish_piece, require_public, take_down
from app.services.review import decide, run_check
from app.services.tracking import Caller, arrive, confirm_view, open_landing
from templates_lib.qr import decode_qr
from tests.factories import POSTER, House

PHONE = Hit("GET", "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50", "", signed_in=False)


def test_an_untouched_piece_goes_to_a_person_while_its_template_is_not_cleared(house: House) -> None:
    piece_id = house.in_review()
    assert house.piece(piece_id).state is PieceState.IN_REVIEW


def test_an_untouched_piece_of_a_cleared_template_is_published_by_itself(house: House) -> None:
    for manifest in house.platform.surroundings.shelf.catalog.versions():
        with house.by("reviewer") as uow:
            from app.services.template import clear_template

            clear_template(uow, manifest.slug, manifest.version)
    piece_id = house.in_review()
    assert house.piece(piece_id).state is PieceState.PUBLISHED
    assert house.publication(piece_id).published_by is None


def test_an_approved_piece_is_public_under_its_advisor_only(house: House) -> None:
    piece_id = house.published()
    publication = house.publication(piece_id)
    assert publication.audience_advisor_id == house.people["advisor"].advisor_id
    assert publication.content_hash == house.review_of(piece_id).revision.content_hash
