"""`/api/v1`: the same services as the pages, for machines; a noun a module, one list of them here."""

from __future__ import annotations

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from app.web.api import (
    advisors,
    checks,
    document,
    inspections,
    links,
    pieces,
    profile_changes,
    publications,
    reach,
    recalls,
    renders,
    reviews,
    routes,
    templates,
    tokens,
)
from app.web.api.bearer import require_token
from app.web.security import csrf

bp = Blueprint("api", __name__, url_prefix="/api/v1")
bp.before_request(require_token)


@bp.record_once
def _teach_paths(state: BlueprintSetupState) -> None:
    """Before the first route is added: paths name their converters."""
    state.app.url_map.converters.update(document.CONVERTERS)


for _noun in (
    advisors,
    checks,
    document,
    inspections,
    links,
    pieces,
    profile_changes,
    publications,
    reach,
    recalls,
    renders,
    reviews,
    routes,
    templates,
    tokens,
):
    # no cookie is read here, so there is nothing that another site could borrow
    csrf.exempt(_noun.bp)
    bp.register_blueprint(_noun.bp)
