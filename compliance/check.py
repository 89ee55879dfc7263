"""The one door of the library: a document and a ruleset in, a report out."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from compliance.document import Document, FieldKind
from compliance.finding import Finding, Layer, Severity, Span
from compliance.match import DocumentView, Hit, Shelters, heard_view, view
from compliance.normalise import normalise
from compliance.opinion import REACH, Opinion, Passage
from compliance.report import Report, verdict_of
from compliance.rule import Rule
from compliance.ruleset import Ruleset
from compliance.scope import Frame, is_plain, judge
from compliance.speech import Informing, informing

_PUNCTUATION = "，。！？；：、,.!?;:\n 　"


def check(document: Document, ruleset: Ruleset) -> Report:
    """Judge a document; deterministic, and never raises for content."""
    seen = view(document, ruleset.reader)
    outright: set[Finding] = set()
    findings = _findings(ruleset, seen, outright)
    heard = heard_view(seen)
    if heard is not None:
        findings += _findings(ruleset, heard, outright)
    if not findings:
        return Report(verdict_of(()), (), ruleset.version, ruleset.digest)
    order = {field.name: position for position, field in reversed([*enumerate(document.fields)])}
    kept = sorted(
        _agreed(_seconded(_distinct(findings), outright), document, ruleset),
        key=lambda finding: (order[finding.field], finding.span, finding.rule_id),
    )
    return Report(verdict_of(kept), tuple(kept), ruleset.version, ruleset.digest)


def _findings(ruleset: Ruleset, document: DocumentView, outright: set[Finding]) -> list[Finding]:
    """Return what every rule finds, and add to `outright` what is said in a rule's own words."""
    raised = [(rule, hits) for rule in ruleset.rules_for(document) if (hits := [*rule.hits(document)])]
    if not raised:
        return []
    shelters, places = _shelters(ruleset, document), _places(document)
    found: list[tuple[Rule, Hit]] = []
    for rule, given in raised:
        hits = [hit for hit in given if _counts(hit, shelters, places)]
        if hits and rule.holds_in(document):
            found += ((rule, hit) for hit in hits if rule.is_about(document, hit))
    if not found:
        return []
    told = informing("\n".join(field.text for field in document.fields if field.offends))
    findings = []
    for rule, hit in found:
        finding = _finding(rule, hit, document, told)
        findings.append(finding)
        if rule.is_outright(document.fields[hit.field].text[hit.start : hit.end]):
            outright.add(finding)
    return findings


def _shelters(ruleset: Ruleset, document: DocumentView) -> Mapping[int, Shelters]:
    """Return, per field, where phrases stand inside which no rule has a hit."""
    if not ruleset.allowed:
        return {}
    return {
        field.index: Shelters(
            (start, start + len(phrase))
            for phrase in ruleset.allowed & field.sight.words
            for start in field.starts(phrase)
        )
        for field in document.fields
    }


def _places(document: DocumentView) -> Mapping[int, Shelters] | None:
    """Return, per field, where a word is only heard; `None` for a text as it is written."""
    if not any(field.places for field in document.judged):
        return None
    return {field.index: Shelters(field.places or ()) for field in document.fields}


def _counts(hit: Hit, shelters: Mapping[int, Shelters], places: Mapping[int, Shelters] | None) -> bool:
    """Tell whether a hit is one: outside allowed phrases, and of a text as it sounds what was heard."""
    if hit.field in shelters and shelters[hit.field].cover(hit.start, hit.end):
        return False
    return places is None or places[hit.field].touch(hit.start, hit.end)


def _finding(rule: Rule, hit: Hit, document: DocumentView, told: Informing | None) -> Finding:
    field = document.fields[hit.field]
    span = field.normalised.span(hit.start, hit.end)
    if hit.suggestion is None:
        span = _unpunctuated(field.field.text, span)
    layer = Layer.SOUND if field.places else hit.layer or field.normalised.layer(hit.start, hit.end)
    scope_reason = judge(field.text, hit.start, hit.end, rule.frames) if rule.frames else None
    severity = rule.severity
    if scope_reason is None and told is not None and _is_only_told(rule, told):
        scope_reason = told.reason
    if scope_reason is not None:
        severity = Severity.NOTE
    elif severity is Severity.BLOCK and (
        layer is Layer.SOUND
        or field.field.kind is FieldKind.PICTURE
        or (rule.frames and (told is not None or not is_plain(field.text, hit.start, hit.end)))
        or (rule.is_duty and not document.sells)
    ):
        # heard, read from a picture, not said outright, or owed by what hardly sells: a person decides
        severity = Severity.REVIEW
    return Finding(
        rule=rule.slug,
        severity=severity,
        field=field.field.name,
        span=span,
        text=field.field.text[span.start : span.end],
        basis=rule.basis,
        basis_status=rule.basis_status,
        reason=rule.reason + (hit.remark or ""),
        suggestion=hit.suggestion,
        layer=layer,
        scope_reason=scope_reason,
        rule_id=rule.id,
    )


def _unpunctuated(text: str, span: Span) -> Span:
    """Leave out the comma or stop a pattern begins or ends with: a reader looks at the words."""
    words = text[span.start : span.end].strip(_PUNCTUATION)
    if not words:
        return span
    start = text.index(words, span.start)
    return Span(start, start + len(words))


def _is_only_told(rule: Rule, told: Informing) -> bool:
    """Tell whether a piece that informs excuses what a rule found in it.

    A lesson excuses whatever may be excused so, a notice or a report what is doubtful anyway; and
    either owes nothing that only an offer owes.
    """
    if Frame.INFORMING not in rule.frames:
        return False
    return told.explains or rule.is_duty or rule.severity is not Severity.BLOCK


def _seconded(findings: Sequence[Finding], outright: AbstractSet[Finding]) -> Sequence[Finding]:
    """Leave to a person what only one rule objects to, and not for its own words.

    A pattern reads a sentence by its build and errs more often than a word does; where a second
    rule objects to the same piece, both are seldom wrong.
    """
    if len({found.rule_id for found in findings if found.severity.rank >= Severity.REVIEW.rank}) > 1:
        return findings
    return [
        replace(found, severity=Severity.REVIEW)
        if found.severity is Severity.BLOCK and found not in outright
        else found
        for found in findings
    ]


def _agreed(findings: Sequence[Finding], document: Document, ruleset: Ruleset) -> Sequence[Finding]:
    """Let what is only a sign stop the piece where the second opinion agrees, and else be told.

    A word that was only heard is disguised, and what is read from a picture was never typed: there a
    person decides whatever the passage reads like. Of a piece that a person sees anyway, or that is
    blocked, every sign is shown as it is.
    """
    opinion = ruleset.opinion
    stopping = [found for found in findings if found.severity.rank >= Severity.REVIEW.rank]
    if opinion is None or not stopping or any(found.severity is Severity.BLOCK for found in stopping):
        return findings
    passages = _Passages(document)
    if not all(
        passages.hold(found) and ruleset.rule(found.rule_id).is_sign(normalise(found.text).text)
        for found in stopping
    ):
        return findings
    around = {found: passages.around(found) for found in stopping}
    if any(map(opinion.agrees, around.values())):
        return findings
    return [_told(found, opinion, around[found]) if found in around else found for found in findings]


def _told(found: Finding, opinion: Opinion, passage: Passage) -> Finding:
    """Return a finding as a warning that names what spoke for the passage."""
    named = "、".join(f"“{words}”" for words in opinion.lawful_words(passage))
    remark = f"前后文读来像合规的写法{f'（{named}）' if named else ''}，因此只作提醒。"
    return replace(found, severity=Severity.WARN, reason=found.reason + remark)


class _Passages:
    """What is said of the matter, as one text: a poster's headline is read with what stands under it."""

    def __init__(self, document: Document) -> None:
        self._starts: dict[str, int] = {}
        self._text = ""
        for field in document.fields:
            if field.kind is FieldKind.FREE:
                self._starts.setdefault(field.name, len(self._text))
                self._text += field.text + "\n"

    def hold(self, found: Finding) -> bool:
        """Tell whether a finding is one of words typed as they are read."""
        return found.layer is not Layer.SOUND and found.field in self._starts

    def around(self, found: Finding) -> Passage:
        """Return a finding with what stands near it."""
        start = self._starts[found.field] + found.span.start
        end = self._starts[found.field] + found.span.end
        texts = (
            self._text[max(0, start - REACH) : start],
            self._text[start:end],
            self._text[end : end + REACH],
        )
        return Passage(*(normalise(text).text for text in texts))


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Keep, of findings of one slug that overlap, the gravest and then the longest."""
    kept: list[Finding] = []
    taken: dict[tuple[str, str], set[int]] = {}
    for finding in sorted(
        findings,
        key=lambda f: (-f.severity.rank, f.span.start - f.span.end, f.span, f.rule_id),
    ):
        positions = taken.setdefault((finding.rule, finding.field), set())
        covered = range(finding.span.start, finding.span.end)
        if positions.isdisjoint(covered):
            positions.update(covered)
            kept.append(finding)
    return kept
