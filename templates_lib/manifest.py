"""What a template declares about itself: its slots, its size, its obligations.

`manifest.yaml` is read strictly. A fault names the file, the line and the field, because the
person who meets it is a designer with the file open.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

import yaml

MANIFEST_NAME: Final = "manifest.yaml"
BODY_NAME: Final = "body.html"
STYLE_NAME: Final = "style.css"
MAX_MANIFEST_BYTES: Final = 256 * 1024
MAX_PAGES: Final = 30
MAX_VARIANTS: Final = 8
MAX_PRINT_MM: Final = 2_000
MAX_SIDE_PX: Final = 10_000
MAX_PAGE_PIXELS: Final = 40_000_000
MAX_SLOT_CHARS: Final = 5_000

# Drawn by every template without being a slot: the obligatory text of its product type.
DISCLOSURE: Final = "disclosure"

PROFILE_FIELDS: Final = frozenset(
    {"name", "title", "licence_no", "org_name", "phone", "photo", "institution"}
)


class SlotKind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    QR = "qr"
    DATE = "date"
    PHRASE = "phrase"


class SlotSource(StrEnum):
    """Whose value it is: the verified profile, head office, the advisor, or the platform itself."""

    PROFILE = "profile"
    HEAD_OFFICE = "head_office"
    ADVISOR = "advisor"
    SYSTEM = "system"


class TemplateKind(StrEnum):
    POSTER = "poster"
    CARD = "card"
    DAILY = "daily"
    BRIEF = "brief"
    FESTIVAL = "festival"
    INVITATION = "invitation"
    BUSINESS_CARD = "business_card"


class ProductType(StrEnum):
    """What the piece speaks about; it decides which disclosure is obligatory."""

    NONE = "none"
    WEALTH = "wealth"
    FUND = "fund"
    MONEY_FUND = "money_fund"
    INSURANCE = "insurance"
    DIVIDEND_INSURANCE = "dividend_insurance"
    LOAN = "loan"
    DEPOSIT = "deposit"
    SECURITIES_ADVICE = "securities_advice"


# The words a disclosure must contain, by product type; each inner tuple lists accepted spellings.
# Source: 广告法 第二十五条; 理财公司理财产品销售管理暂行办法; 公开募集证券投资基金宣传推介材料管理
# 暂行规定; 保险销售行为管理办法; 人民银行公告〔2021〕第3号; 证券投资顾问业务暂行规定.
REQUIRED_WORDS: Final[Mapping[ProductType, tuple[tuple[str, ...], ...]]] = {
    ProductType.NONE: (),
    ProductType.WEALTH: (("理财非存款",), ("产品有风险",), ("投资须谨慎", "投资需谨慎")),
    ProductType.FUND: (("基金有风险",), ("投资须谨慎", "投资需谨慎")),
    ProductType.MONEY_FUND: (
        ("基金有风险",),
        ("投资须谨慎", "投资需谨慎"),
        ("不等于将资金作为存款",),
        ("不保证基金一定盈利",),
    ),
    ProductType.INSURANCE: (("保险条款",),),
    ProductType.DIVIDEND_INSURANCE: (("保险条款",), ("红利", "结算利率"), ("不确定", "不保证")),
    ProductType.LOAN: (("年化利率",), ("单利",)),
    ProductType.DEPOSIT: (),
    ProductType.SECURITIES_ADVICE: (("市场有风险",), ("投资须谨慎", "投资需谨慎")),
}


# How wide a design is on paper where its manifest does not say.
_PRINT_WIDTH_MM: Final[Mapping[TemplateKind, float]] = {
    TemplateKind.POSTER: 210,
    TemplateKind.CARD: 148,
    TemplateKind.DAILY: 210,
    TemplateKind.BRIEF: 210,
    TemplateKind.FESTIVAL: 210,
    TemplateKind.INVITATION: 148,
    TemplateKind.BUSINESS_CARD: 90,
}

# What every size of a design shows, so that nobody takes it for somebody else's.
_NEVER_OMITTED: Final = "institution"


class ManifestError(ValueError):
    """A manifest cannot be used: which file, which line (`None` if unknown), which field, why."""

    code = "manifest"

    def __init__(self, file: Path, line: int | None, field: str, reason: str) -> None:
        place = f"{file}:{line}" if line else str(file)
        super().__init__(f"{place}: {field}: {reason}")
        self.file, self.line, self.field, self.reason = file, line, field, reason


class UnknownSizeError(LookupError):
    """A design does not come in that size; `known` are the names of those it has beside its own."""

    code = "unknown_size"

    def __init__(self, size: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no size {size!r}: there is {', '.join(known) or 'none beside its own'}")
        self.size, self.known = size, known


@dataclass(frozen=True, slots=True)
class Slot:
    """A fillable place of a template.

    `max_chars` counts code points; `max_lines` counts lines as laid out, `None` where the frame
    alone decides. A locked slot always shows its `default` and takes no value.
    """

    name: str
    label: str
    kind: SlotKind
    source: SlotSource
    profile_field: str | None
    required: bool
    locked: bool
    max_chars: int | None
    max_lines: int | None
    phrases: tuple[str, ...]
    default: str | None
    help: str | None
    # words that do not fit are set smaller, in whole pixels, down to this; None: never
    min_font_px: float | None = None


@dataclass(frozen=True, slots=True)
class PageSize:
    name: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Variant:
    """Another size of a design: one page, drawn from the design's own values.

    `omits` names the slots it does not show. Its style is a file of its own; its body is the
    design's unless it has one too.
    """

    name: str
    size: PageSize
    omits: frozenset[str]
    print_width_mm: float
    body_name: str

    @property
    def style_name(self) -> str:
        return f"{self.name}.css"


@dataclass(frozen=True, slots=True)
class TemplateManifest:
    """A released version of a design, as its `manifest.yaml` declares it.

    `disclosure` is the obligatory text bound to the product type, `None` where the law asks for
    none. `disclosure_min_px` is the smallest size it may be drawn in. `print_width_mm` is how wide
    it is on paper once cut. `use_guide` is what an advisor may say when sending the picture;
    `rights` says where its pictures come from.
    """

    slug: str
    version: int
    name: str
    kind: TemplateKind
    style: str
    summary: str
    audience: str
    pages: int
    size: PageSize
    slots: tuple[Slot, ...]
    product_type: str
    disclosure: str | None
    disclosure_min_px: float
    print_width_mm: float
    tags: tuple[str, ...]
    valid_from: dt.date | None
    valid_until: dt.date | None
    use_guide: str
    rights: str
    # the folder the manifest was read from; where it lies is not part of what it says
    directory: Path = field(compare=False, repr=False)
    variants: tuple[Variant, ...] = ()
    # the variant these are the declarations of; `None`: the design in its own size
    drawn_as: Variant | None = None

    @property
    def body_name(self) -> str:
        return self.drawn_as.body_name if self.drawn_as else BODY_NAME

    @property
    def style_name(self) -> str:
        return self.drawn_as.style_name if self.drawn_as else STYLE_NAME

    @property
    def sizes(self) -> dict[str, PageSize]:
        """Every size the design comes in, by name; its own, which has none, comes first."""
        return {"": self.size, **{variant.name: variant.size for variant in self.variants}}

    def in_size(self, name: str) -> "TemplateManifest":
        """Declare the same design in the size of that name. Raises UnknownSizeError."""
        if not name:
            return self
        for variant in self.variants:
            if variant.name == name:
                return replace(
                    self,
                    pages=1,
                    size=variant.size,
                    slots=tuple(slot for slot in self.slots if slot.name not in variant.omits),
                    print_width_mm=variant.print_width_mm,
                    variants=(),
                    drawn_as=variant,
                )
        raise UnknownSizeError(name, tuple(variant.name for variant in self.variants))

    def slot(self, name: str) -> Slot:
        """Find the slot of that name. Raises KeyError."""
        for slot in self.slots:
            if slot.name == name:
                return slot
        raise KeyError(name)


def load_manifest(path: Path) -> TemplateManifest:
    """Read `manifest.yaml`, or the one in a template's folder. Raises ManifestError."""
    file = path / MANIFEST_NAME if path.is_dir() else path
    try:
        if file.stat().st_size > MAX_MANIFEST_BYTES:
            raise ManifestError(file, None, "file", f"is larger than {MAX_MANIFEST_BYTES} bytes")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(file, None, "file", f"cannot be read: {error}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError as error:
        raise ManifestError(file, None, "yaml", "is nested too deeply") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        raise ManifestError(file, line, "yaml", str(getattr(error, "problem", error))) from error
    if not isinstance(node, yaml.MappingNode):
        raise ManifestError(file, 1, "file", "must be a mapping of fields")
    return _template(_Fields(file, "", node))


_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)
_ABSENT: Final = object()
_NULL: Final = "tag:yaml.org,2002:null"


class _Fields:
    """The fields of one YAML mapping; each is taken once, what is left over is a fault."""

    def __init__(self, file: Path, prefix: str, node: yaml.MappingNode) -> None:
        self.file, self.prefix, self.line = file, prefix, node.start_mark.line + 1
        self._nodes: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in self._nodes:
                raise ManifestError(file, key.start_mark.line + 1, prefix + name, "is given twice")
            self._nodes[name] = value

    def fault(self, name: str, reason: str, node: yaml.Node | None = None) -> ManifestError:
        line = node.start_mark.line + 1 if node is not None else self.line
        return ManifestError(self.file, line, self.prefix + name, reason)

    def take(self, name: str, read: Callable[[yaml.Node], _T | None], default: object = _ABSENT) -> _T:
        """Take a field's value; `read` returns `None` for what it cannot accept."""
        node = self._nodes.pop(name, None)
        if node is None or node.tag == _NULL:
            if default is _ABSENT:
                raise self.fault(name, "is missing", node)
            return default  # type: ignore[return-value]  # the caller's own default
        try:
            value = read(node)
        except ValueError as error:
            raise self.fault(name, str(error), node) from error
        if value is None:
            raise self.fault(name, f"cannot be {_shown(node)}", node)
        return value

    def rest(self) -> None:
        for name, node in self._nodes.items():
            raise self.fault(name, "is not a field of a manifest", node)

    def mapping(self, name: str) -> "_Fields":
        node = self.take(name, lambda node: node if isinstance(node, yaml.MappingNode) else None)
        return _Fields(self.file, f"{self.prefix}{name}.", node)

    def mappings(self, name: str, default: object = _ABSENT) -> list["_Fields"]:
        def read(node: yaml.Node) -> list[_Fields] | None:
            if not isinstance(node, yaml.SequenceNode):
                return None
            found = []
            for place, item in enumerate(node.value):
                if not isinstance(item, yaml.MappingNode):
                    raise self.fault(f"{name}[{place}]", "must be a mapping", item)
                found.append(_Fields(self.file, f"{self.prefix}{name}[{place}].", item))
            return found

        return self.take(name, read, default)


def _value(node: yaml.Node) -> object:
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("cannot be read as a value") from error


def _shown(node: yaml.Node) -> str:
    return repr(node.value)[:80] if isinstance(node, yaml.ScalarNode) else "a list or mapping"


def _text(node: yaml.Node) -> str | None:
    value = _value(node)
    return value.strip() if isinstance(value, str) and value.strip() else None


def _flag(node: yaml.Node) -> bool | None:
    value = _value(node)
    return value if isinstance(value, bool) else None


def _count(node: yaml.Node) -> int | None:
    value = _value(node)
    return value if type(value) is int and value > 0 else None


def _up_to(most: int) -> Callable[[yaml.Node], int | None]:
    def read(node: yaml.Node) -> int | None:
        value = _count(node)
        if value is not None and value > most:
            raise ValueError(f"must be at most {most}")
        return value

    return read


def _measure(node: yaml.Node) -> float | None:
    value = _value(node)
    return float(value) if type(value) in (int, float) and value > 0 else None  # type: ignore[operator,arg-type]


def _print_width(node: yaml.Node) -> float | None:
    value = _measure(node)
    if value is not None and value > MAX_PRINT_MM:
        raise ValueError(f"must be at most {MAX_PRINT_MM}")
    return value


def _day(node: yaml.Node) -> dt.date | None:
    value = _value(node)
    return value if type(value) is dt.date else None


def _texts(node: yaml.Node) -> tuple[str, ...] | None:
    value = _value(node)
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        return None
    return tuple(item.strip() for item in value)


def _one_of(kind: type[_E]) -> Callable[[yaml.Node], _E]:
    def read(node: yaml.Node) -> _E:
        try:
            return kind(str(_value(node)))
        except ValueError:
            raise ValueError(f"must be one of {', '.join(kind)}") from None

    return read


def _identifier(node: yaml.Node) -> str:
    text = _text(node)
    if text is None or not text.isascii() or not text.isidentifier() or text != text.lower():
        raise ValueError("must be lower-case ASCII letters, digits and _")
    return text


def _slug(node: yaml.Node) -> str:
    text = _text(node)
    if text is None or not text.isascii() or not text.replace("-", "").isalnum() or text != text.lower():
        raise ValueError("must be lower-case ASCII letters, digits and -")
    return text


def _slot(fields: _Fields) -> Slot:
    slot = Slot(
        name=fields.take("name", _identifier),
        label=fields.take("label", _text),
        kind=fields.take("kind", _one_of(SlotKind)),
        source=fields.take("source", _one_of(SlotSource)),
        profile_field=fields.take("profile_field", _text, None),
        required=fields.take("required", _flag, default=False),
        locked=fields.take("locked", _flag, default=False),
        max_chars=fields.take("max_chars", _up_to(MAX_SLOT_CHARS), None),
        max_lines=fields.take("max_lines", _count, None),
        phrases=fields.take("phrases", _texts, ()),
        default=fields.take("default", _text, None),
        help=fields.take("help", _text, None),
        min_font_px=fields.take("min_font_px", _measure, None),
    )
    fields.rest()
    if slot.name == DISCLOSURE:
        raise fields.fault("name", "disclosure is drawn by the template itself, it is no slot")
    _check_source(fields, slot)
    _check_texts(fields, slot)
    return slot


def _check_source(fields: _Fields, slot: Slot) -> None:
    if slot.source is SlotSource.PROFILE and slot.profile_field not in PROFILE_FIELDS:
        raise fields.fault("profile_field", f"must be one of {', '.join(sorted(PROFILE_FIELDS))}")
    if slot.source is not SlotSource.PROFILE and slot.profile_field is not None:
        raise fields.fault("profile_field", "belongs to slots whose source is profile")


def _check_texts(fields: _Fields, slot: Slot) -> None:
    if (slot.kind is SlotKind.PHRASE) != bool(slot.phrases):
        raise fields.fault("phrases", "belong to slots of kind phrase, and each such slot has some")
    if slot.locked and slot.default is None:
        raise fields.fault("default", "is what a locked slot shows; it is missing")
    if slot.kind is SlotKind.PHRASE and slot.default is not None and slot.default not in slot.phrases:
        raise fields.fault("default", "must be one of the phrases")
    if slot.kind is SlotKind.TEXT and slot.max_chars is None:
        raise fields.fault("max_chars", "is missing: every text has a limit")
    if slot.max_chars is not None:
        for text in (*slot.phrases, slot.default or ""):
            if len(text) > slot.max_chars:
                raise fields.fault("max_chars", f"is smaller than the slot's own text {text!r}")


def _page_size(fields: _Fields, label: str) -> PageSize:
    side = _up_to(MAX_SIDE_PX)
    size = PageSize(label, fields.take("width_px", side), fields.take("height_px", side))
    if size.width_px * size.height_px > MAX_PAGE_PIXELS:
        name, reason = fields.prefix.removesuffix("."), f"has more than {MAX_PAGE_PIXELS} pixels"
        raise ManifestError(fields.file, fields.line, name, reason)
    return size


def _variant(fields: _Fields, slots: Mapping[str, Slot], pages: int, print_width_mm: float) -> Variant:
    name = fields.take("name", _identifier)
    label = fields.take("label", _text)
    size = _page_size(fields, label)
    omits = fields.take("omits", _texts, ())
    printed = fields.take("print_width_mm", _print_width, print_width_mm)
    fields.rest()
    if name == Path(STYLE_NAME).stem or name == Path(BODY_NAME).stem:
        raise fields.fault("name", "is that of the design's own files")
    for omitted in omits:
        if omitted == DISCLOSURE or (omitted in slots and slots[omitted].profile_field == _NEVER_OMITTED):
            raise fields.fault("omits", f"{omitted} stands on every size")
        if omitted not in slots:
            raise fields.fault("omits", f"{omitted} is not a slot")
    folder = fields.file.parent
    variant = Variant(name, size, frozenset(omits), printed, f"{name}.html")
    if not (folder / variant.style_name).is_file():
        raise fields.fault("name", f"needs a style of its own: {variant.style_name} is missing")
    if (folder / variant.body_name).is_file():
        return variant
    if omits or pages > 1:
        what = "a design of several pages" if pages > 1 else "slots that are omitted"
        raise fields.fault("name", f"needs a body of its own for {what}: {variant.body_name} is missing")
    return replace(variant, body_name=BODY_NAME)


def _template(fields: _Fields) -> TemplateManifest:
    size = fields.mapping("size")
    page = _page_size(size, size.take("name", _text))
    size.rest()
    slots = tuple(_slot(item) for item in fields.mappings("slots"))
    _check_apart(fields, "slots", [slot.name for slot in slots])
    product = fields.take("product_type", _one_of(ProductType))
    kind = fields.take("kind", _one_of(TemplateKind))
    pages = fields.take("pages", _up_to(MAX_PAGES))
    print_width_mm = fields.take("print_width_mm", _print_width, _PRINT_WIDTH_MM[kind])
    declared = {slot.name: slot for slot in slots}
    further = fields.mappings("variants", [])
    if len(further) > MAX_VARIANTS:
        raise fields.fault("variants", f"has more than {MAX_VARIANTS} sizes")
    variants = tuple(_variant(item, declared, pages, print_width_mm) for item in further)
    _check_apart(fields, "variants", [variant.name for variant in variants])
    manifest = TemplateManifest(
        slug=fields.take("slug", _slug),
        version=fields.take("version", _count),
        name=fields.take("name", _text),
        kind=kind,
        style=fields.take("style", _text),
        summary=fields.take("summary", _text),
        audience=fields.take("audience", _text),
        pages=pages,
        size=page,
        slots=slots,
        product_type=product.value,
        disclosure=fields.take(DISCLOSURE, _text, None),
        disclosure_min_px=fields.take("disclosure_min_px", _measure),
        print_width_mm=print_width_mm,
        tags=fields.take("tags", _texts, ()),
        valid_from=fields.take("valid_from", _day, None),
        valid_until=fields.take("valid_until", _day, None),
        use_guide=fields.take("use_guide", _text),
        rights=fields.take("rights", _text),
        directory=fields.file.parent,
        variants=variants,
    )
    fields.rest()
    _check_disclosure(fields, product, manifest.disclosure)
    if manifest.valid_from and manifest.valid_until and manifest.valid_until < manifest.valid_from:
        raise fields.fault("valid_until", "lies before valid_from")
    return manifest


def _check_apart(fields: _Fields, field_name: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise fields.fault(field_name, f"{name} is declared twice")


def _check_disclosure(fields: _Fields, product: ProductType, disclosure: str | None) -> None:
    wanted: Sequence[tuple[str, ...]] = REQUIRED_WORDS[product]
    for spellings in wanted:
        if not any(words in (disclosure or "") for words in spellings):
            raise fields.fault(DISCLOSURE, f"must say {spellings[0]} for product type {product}")
