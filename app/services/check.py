"""Have the checker judge what is on a picture: while typing, at submission, and for the record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.advisor import ProfileField
from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.models.check import CheckRun, Finding
from app.models.template import TemplateVersion
from app.models.tenant import Tenant
from app.ports import PictureNotRead
from app.services.access import require
from app.services.reading import kept_readings, pictures_in
from app.services.rendition import compiled_for, slot_faults, slot_values
from app.services.unit_of_work import UnitOfWork
from compliance.check import check
from compliance.document import Document, FieldKind, ProductType, Sector, TextField, parse_channel
from compliance.reading import PictureReading, unread_field
from compliance.report import Report
from templates_lib.fill import SlotErrors, fill, without_omitted
from templates_lib.manifest import DISCLOSURE, SlotKind, SlotSource, TemplateManifest
from templates_lib.twin import TwinLine, text_twin

PORTRAIT_FIELD: Final = ProfileField.PHOTO.value


def check_text(uow: UnitOfWork, text: str, *, sector: str | None, channel: str) -> Report:
    """Judge one plain text for the tenant's sector unless another is named."""
    require(uow, Permission.CHECK_TEXT)
    chosen = Sector(sector) if sector else _sector(uow)
    return check(Document.of_text(text, chosen, parse_channel(channel)), uow.around.ruleset)


@dataclass(frozen=True, slots=True)
class CheckedPicture:
    """What the checker says of a picture by itself, and what was read in it; `None`: it could not be."""

    report: Report
    reading: PictureReading | None


def check_picture(uow: UnitOfWork, data: bytes, *, sector: str | None, channel: str) -> CheckedPicture:
    """Read a picture's file and judge the words in it; nothing is kept. Raises InvalidInput.

    Takes seconds, and holds nothing meanwhile.
    """
    require(uow, Permission.CHECK_TEXT)
    try:
        reading = uow.around.reader.read(data)
    except PictureNotRead as refused:
        if refused.reason:
            raise InvalidInput.of("picture", refused.code, f"{refused.reason}。") from refused
        reading = None
    field = reading.field("picture") if reading is not None else unread_field("picture")
    chosen = Sector(sector) if sector else _sector(uow)
    report = check(Document((field,), chosen, parse_channel(channel)), uow.around.ruleset)
    return CheckedPicture(report, reading)


def judge_portrait(uow: UnitOfWork, sha256: str) -> Report:
    """Judge what is written in a portrait; one that has not been read is for a person to look at.

    It is looked at here once, and then stands on every picture of its advisor.
    """
    reading = kept_readings(uow, [sha256]).get(sha256)
    field = reading.field(PORTRAIT_FIELD) if reading is not None else unread_field(PORTRAIT_FIELD)
    return check(Document((field,), _sector(uow), parse_channel("poster")), uow.around.ruleset)


def judge(uow: UnitOfWork, version: TemplateVersion, values: Mapping[str, str]) -> Report:
    """Judge everything a reader would see on a picture with these values; raises InvalidInput."""
    return check(document_of(uow, version, values), uow.around.ruleset)


def typed_document(uow: UnitOfWork, version: TemplateVersion, typed: Mapping[str, str]) -> Document:
    """Words as somebody typed them, by slot: what can be read of a picture that cannot be drawn."""
    return _document(uow, version, (TextField(name, text, FieldKind.FREE) for name, text in typed.items()))


def document_of(
    uow: UnitOfWork,
    version: TemplateVersion,
    values: Mapping[str, str],
    *,
    read: Mapping[str, str] | None = None,
) -> Document:
    """What the checker reads of a picture with these values.

    The text comes from the picture's own twin, so nothing can be drawn that was not judged. Pictures
    inside it count as they were read. Those of `read` must have been: one that was not is judged as
    one that could not be read.
    Raises InvalidInput where the values do not fit the template.
    """
    manifest = compiled_for(uow, version).manifest
    kinds = _field_kinds(manifest)
    fields = [
        line.picture.field(line.field)
        if line.picture is not None
        else TextField(
            line.field,
            line.text,
            kinds.get(line.slot, FieldKind.FREE) if line.slot else _fixed_kind(manifest, line.text),
        )
        for line in reading_of(uow, version, values)
    ]
    due = pictures_in(manifest, read or {})
    known = kept_readings(uow, due.values())
    fields += [unread_field(slot) for slot, sha256 in due.items() if sha256 not in known]
    return _document(uow, version, fields)


def _document(uow: UnitOfWork, version: TemplateVersion, fields: Iterable[TextField]) -> Document:
    return Document(
        fields=tuple(fields),
        sector=_sector(uow),
        channel=parse_channel("poster"),
        product_type=ProductType(version.product_type.value),
    )


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One line of a picture's text, under the name by which findings speak of it."""

    field: str
    slot: str | None  # None: words of the design itself
    label: str
    text: str
    picture: PictureReading | None = None  # what was read in an uploaded picture


def reading_of(uow: UnitOfWork, version: TemplateVersion, values: Mapping[str, str]) -> tuple[ReadLine, ...]:
    """All words on the picture in reading order; raises InvalidInput where the values do not fit.

    What only another size of the design says is read after it, and last what is written in uploaded
    pictures, as far as they have been read.
    """
    shown = slot_values(uow, values)
    twin: list[TwinLine] = []
    design = compiled_for(uow, version).manifest
    for size in design.sizes:
        manifest = design.in_size(size)
        try:
            lines = text_twin(manifest, fill(manifest, without_omitted(manifest, shown)))
        except SlotErrors as refused:
            raise slot_faults(refused) from refused
        twin += lines if not size else [line for line in lines if line not in twin]
    words = (
        ReadLine(line.slot or f"fixed-{position}", line.slot, line.label, line.text)
        for position, line in enumerate(twin)
    )
    pictures = pictures_in(design, values)
    readings = kept_readings(uow, pictures.values())
    return (
        *words,
        *(
            ReadLine(slot, slot, design.slot(slot).label, reading.text, reading)
            for slot, sha256 in pictures.items()
            if (reading := readings.get(sha256)) is not None and reading.text
        ),
    )


def record_report(run: CheckRun, report: Report, document: Document) -> None:
    """Keep a report with its run: the verdict, the ruleset it was made with, and every finding.

    What was read is kept beside it: an advisor's name or a sample may change, the verdict may not.
    """
    run.verdict = report.verdict.value
    run.ruleset_version = report.ruleset_version
    run.ruleset_digest = report.ruleset_digest
    run.report = report.to_dict() | {"document": document.to_dict()}
    for position, found in enumerate(report.findings):
        run.findings.append(
            Finding(
                tenant_id=run.tenant_id,
                position=position,
                rule=found.rule,
                severity=found.severity.value,
                field=found.field,
                start=found.span.start,
                end=found.span.end,
                text=found.text,
                basis=found.basis,
                reason=found.reason,
                suggestion=found.suggestion,
                layer=str(found.layer),
            )
        )


def _sector(uow: UnitOfWork) -> Sector:
    return Sector(uow.session.get_one(Tenant, uow.tenant_id).sector)


def _field_kinds(manifest: TemplateManifest) -> dict[str, FieldKind]:
    kinds = {
        slot.name: FieldKind.PROFILE
        if slot.source is SlotSource.PROFILE or slot.kind is SlotKind.QR
        else FieldKind.FREE
        for slot in manifest.slots
    }
    return kinds | {DISCLOSURE: FieldKind.DISCLOSURE}


def _fixed_kind(manifest: TemplateManifest, text: str) -> FieldKind:
    """Tell the disclosure where a design spells it out itself."""
    registered = manifest.disclosure and manifest.disclosure in text
    return FieldKind.DISCLOSURE if registered else FieldKind.FIXED
