"""A template is somebody else's code: what it may not do is refused before it is drawn."""

import os

import pytest

from templates_lib.catalog import open_source
from templates_lib.compile import compile_template
from templates_lib.document import TemplateError, open_document
from templates_lib.layout import AssetFetcher, FatalURLFetchingError
from templates_lib.manifest import ManifestError
from tests.unit.templates_lib.bombs import png
from tests.unit.templates_lib.factories import BODY, STYLE, write_template
from tests.unit.templates_lib.hostile import REFUSED

JINJA = [
    "{{ ''.__class__ }}",
    "{{ headline.__class__.__mro__ }}",
    "{{ headline|attr('__class__') }}",
    "{{ headline['__class__'] }}",
    "{{ headline.format(headline) }}",
    "{{ '%s'|format(headline) }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ lipsum.__globals__ }}",
    "{{ config }}",
    "{{ request }}",
    "{{ namespace() }}",
    "{{ range(999999999) }}",
    "{{ joiner }}",
    "{{ 9**9**9 }}",
    "{{ 'a' * 99999999 }}",
    "{{ headline ~ headline }}",
    "{{ [headline] }}",
    "{{ {'a': headline} }}",
    "{{ headline if headline else name }}",
    "{{ headline|safe }}",
    "{{ headline|map('upper') }}",
    "{{ headline|day|month }}",
    "{{ made_on|day(1) }}",
    "{{ headline is string }}",
    "{{ headline == name }}",
    "{{ not headline }}",
    "{{ headline[0] }}",
    "{{ headline[:1] }}",
    "{{ (headline) () }}",
    "{% for c in headline %}{{ c }}{% endfor %}",
    "{% set x = headline %}",
    "{% macro m() %}{% endmacro %}",
    "{% call m() %}{% endcall %}",
    "{% include 'secret.html' %}",
    "{% import 'secret.html' as s %}",
    "{% extends 'secret.html' %}",
    "{% block b %}{% endblock %}",
    "{% filter upper %}a{% endfilter %}",
    "{% with a = headline %}{% endwith %}",
    "{% autoescape false %}{{ headline }}{% endautoescape %}",
    "{% raw %}{% endraw %}{{ undeclared }}",
    "{% if headline.x %}{% endif %}",
    "{% if headline and name %}{% endif %}",
    "{% if loop %}{% endif %}",
    "{% do headline %}",
    "{{ unclosed",
    "{{ '__cla' ~ 'ss__' }}",
    "{{ headline['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ ()|attr('__class__') }}",
    "{{ headline|attr(name) }}",
    "{{ self }}",
    "{{ self._TemplateReference__context }}",
    "{{ loop }}",
    "{{ loop.index }}",
    "{{ caller() }}",
    "{{ varargs }}",
    "{{ super() }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ headline.0 }}",
    "{{ headline in name }}",
    "{{ headline is defined }}",
    "{{ -headline }}",
    "{{ true }}",
    "{{ 1 }}",
    "{{ 'words that no twin reads' }}",
    "{{ headline, name }}",
    "{{ headline|default('x', true) }}",
    "{{ made_on|day(*headline) }}",
    "{{ made_on|day(**headline) }}",
    "{{ made_on|day(at=1) }}",
    "{{ headline|e }}",
    "{{ headline|format(headline) }}",
    "{{- headline.__class__ -}}",
    "{%- for c in headline -%}{%- endfor -%}",
    "{%+ set x = 1 +%}",
    "{% set x %}{{ headline }}{% endset %}",
    "{% set x.y = headline %}",
    "{% from 'secret.html' import s %}",
    "{% if made_on|day %}{% endif %}",
    "{% if headline %}{% elif name %}{% endif %}",
    "{% if not not headline %}{% endif %}",
    "{% if headline == 'x' %}{% endif %}",
    "{% if headline %}{{ headline.__class__ }}{% endif %}",
    "{% if headline %}{% else %}{{ headline.__class__ }}{% endif %}",
    "{% debug %}",
    "{% trans %}x{% endtrans %}",
    "{% continue %}",
    "{{ " + "9" * 5000 + " }}",
    "{{ " + "(" * 5000 + "headline" + ")" * 5000 + " }}",
    "{% if headline %}" * 5000 + "{% endif %}" * 5000,
    "{% if headline %}" * 5 + "{% endif %}" * 5,
]


@pytest.mark.parametrize("payload", JINJA)
def test_only_slots_and_listed_filters_stand_in_a_body(tmp_path, payload):
    source = write_template(tmp_path, body=BODY.replace("设计里的字", payload))

    with pytest.raises(TemplateError) as refused:
        compile_template(source)

    assert refused.value.file == "body.html"
    assert refused.value.line is not None


def test_the_line_of_a_refused_construct_is_its_own(tmp_path):
    body = BODY.replace("设计里的字", "\n\n{{ headline.__class__ }}")

    with pytest.raises(TemplateError) as refused:
        compile_template(write_template(tmp_path, body=body))

    assert refused.value.line == 5


@pytest.mark.parametrize(
    "harmless",
    [
        "# for c in headline",
        "#: headline.__class__",
        "{# {{ headline.__class__ }} #}",
        "{% raw %}{{ x.y }}{% endraw %}",
    ],
)
def test_what_is_not_run_may_stand_there(tmp_path, harmless):
    compile_template(write_template(tmp_path, body=BODY.replace("设计里的字", harmless)))


@pytest.mark.parametrize(
    "html",
    [
        "<b class='{{ headline }}'>x</b>",
        "<b class={{ headline }}>x</b>",
        "<b {{ headline }}>x</b>",
        "<{{ headline }}>x",
        "<{{ headline }}script>1</script>",
        "<{% if name %}script>1</{% endif %}script>",
        "<{% if name %}/p{% endif %}>",
        "<{% if name %}!--{% endif %}>",
        "<!{% if name %}--{% endif %} x -->",
        "<!-{% if name %}-{% endif %} x -->",
        "<b class=x{% if name %}>{% endif %}>x</b>",
        "<b lang='a>b{{ headline }}'>x</b>",
        "<!-- {{ headline }} -->",
        "<img src='{{ headline }}' alt=''>",
        "<img src='asset:{{ headline }}' alt=''>",
        "<b class='{{ photo }}'>x</b>",
        "<img src='x{{ photo }}' alt=''>",
        "<b {% if name %}class=x{% endif %}>x</b>",
        "<b class='{% if name %}x{{ name }}{% endif %}'>x</b>",
        "<b class='{% if name %}x><i{% endif %}'>x</b>",
        "<b class={% if name %}x{% endif %}>x</b>",
        "<b class={% if name %}x{% endif %}'> <b class='><img src=file:///etc/passwd>",
        "<b class=a{% if name %}x{% endif %}>x</b>",
        "<b id='{% if name %}x{% endif %}'>x</b>",
        "<b {% if name %}x{% endif %}='y'>x</b>",
        "<{% if name %}b{% else %}i{% endif %}>x</b>",
        "<!--{% if name %}x{% endif %}-->",
        "{% if name %}<b class='{% else %}<b class=''>{% endif %}{{ headline }}'></b>",
        "{% if name %}<!-- {% endif %}{{ headline }} -->",
        "<!-- {% if name %} -->{% endif %}",
        "{% if name %}<script>1</script>{% endif %}",
        "{% if name %}{% else %}<img src='file:///etc/passwd'>{% endif %}",
        "{% if name %}<scr{% endif %}ipt>",
        "\U000f0000",
        "<p data-field=headline>\U000f0001</p>",
    ],
)
def test_values_and_conditions_stand_between_tags_in_every_branch(tmp_path, html):
    source = write_template(tmp_path, body=BODY.replace("设计里的字", html))

    with pytest.raises(TemplateError, match=r"body\.html"):
        compile_template(source)


@pytest.mark.parametrize(
    "html",
    [
        "<b class='a {% if name %}b{% endif %}'>x</b>",
        '<b class="{% if name %}b{% else %}{% if headline %}c-d{% else %}e f{% endif %}{% endif %}">x</b>',
        "{% if name %}b{% endif %}",
        "{% if name %}<b class='a {% if headline %}b{% endif %}'>x</b>{% else %}<i>x</i>{% endif %}",
    ],
)
def test_a_condition_may_choose_the_names_in_a_class(tmp_path, html):
    compile_template(write_template(tmp_path, body=BODY.replace("设计里的字", html)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{{ disclosure }}", "别的字"),
        ("{{ disclosure }}", "{% if name %}{{ disclosure }}{% endif %}"),
        ("{{ disclosure }}", "{% if not headline %}{{ disclosure }}{% endif %}"),
        ("{{ headline }}", "别的字"),
        ('src="{{ qr }}"', 'src="{{ photo }}"'),
        ('data-field="disclosure">', 'data-field="disclosure"></p><p>'),
    ],
)
def test_a_field_shows_its_own_value_and_the_disclosure_always(tmp_path, before, after):
    with pytest.raises(TemplateError):
        compile_template(write_template(tmp_path, body=BODY.replace(before, after)))


@pytest.mark.parametrize(
    "html",
    [
        "<script>1</script>",
        "<iframe src='asset:a.html'></iframe>",
        "<object data='file:///etc/passwd'></object>",
        "<embed src='asset:x'>",
        "<link rel=attachment href='file:///etc/passwd'>",
        "<style>@import 'http://127.0.0.1/'</style>",
        "<meta http-equiv=refresh content='0;url=http://127.0.0.1'>",
        "<base href='http://127.0.0.1/'>",
        "<svg><text>藏起来的字</text></svg>",
        "<img src='file:///etc/passwd'>",
        "<img src='http://127.0.0.1/a.png'>",
        "<img src='//127.0.0.1/a.png'>",
        "<img src='data:image/svg+xml,<svg/>'>",
        "<img srcset='http://127.0.0.1/a.png 1x'>",
        "<a href='file:///etc/passwd'>x</a>",
        "<p style='background:url(file:///etc/passwd)'>x</p>",
        "<p onclick='x()'>x</p>",
        "<p hidden>x</p>",
        "<input value='x'>",
        "<p data-field='salary'>x</p>",
        "<plaintext>x",
        "<title>x</title>",
        "<textarea>x</textarea>",
        "<noscript><img src='file:///etc/passwd'></noscript>",
        "<template><p>x</p></template>",
        "<frameset><frame src='file:///etc/passwd'></frameset>",
        "<math><mi>x</mi></math>",
        "<SVG><IMAGE HREF='file:///etc/passwd'></SVG>",
        "<video poster='http://127.0.0.1/a.png'></video>",
        "<p xml:base='http://127.0.0.1/'>x</p>",
        "<p title='x'>x</p>",
        "<img src=' asset:x.png'>",
        "<img src='ASSET:x.png'>",
        "<img src='data:text/html;base64,PHA+'>",
        "<img src='data:image/png;base64,PHN2Zy8+'>",
        "<img src='data:image/png;base64,!!'>",
        "<img src='data:image/png;base64,'>",
        "<table><tr><td colspan=51>x</td></tr></table>",
        "<table><tr><td rowspan=-1>x</td></tr></table>",
        "<table><tr><td rowspan=x>x</td></tr></table>",
    ],
)
def test_only_the_elements_of_a_page_stand_in_a_body(tmp_path, html):
    source = write_template(tmp_path, body=BODY.replace("设计里的字", html))

    with pytest.raises(TemplateError):
        compile_template(source)


@pytest.mark.parametrize(
    "rule",
    [
        "@import url(http://127.0.0.1/a.css);",
        "@import 'file:///etc/passwd';",
        "@font-face { font-family: x; src: url(file:///etc/passwd) }",
        "@media print { p { color: red } }",
        ".fixed { background: url(http://127.0.0.1/a.png) }",
        ".fixed { background: \\75rl(file:///etc/passwd) }",
        ".fixed { background: url('http://127.0.0.1/a.png') }",
        ".fixed { background: image-set('http://127.0.0.1/a.png' 1x) }",
        ".fixed { list-style-image: url(file:///etc/passwd) }",
        ".fixed::before { content: '保本' }",
        ".fixed::before { content: attr(class) }",
        ".fixed::before { content: url(file:///etc/passwd) }",
        ".disclosure { display: none }",
        ".disclosure { visibility: hidden }",
        ".fixed { nonsense: 1 }",
        "</style><script>1</script>",
        ".disclosure { font-size: 4px }",
        "@\\69mport url(http://127.0.0.1/a.css);",
        "@im/**/port url(http://127.0.0.1/a.css);",
        "@charset 'utf-7';",
        "@namespace svg url(http://127.0.0.1/);",
        "@color-profile x { src: url(http://127.0.0.1/a.icc) }",
        "@counter-style x { symbols: '保本' }",
        "@page { @top-left { content: '保本' } }",
        "@page { background: url(file:///etc/passwd) }",
        ".fixed { .small { color: red } }",
        ".fixed { background: u\\72l(http://127.0.0.1/a.png) }",
        ".fixed { background: url(/**/http://127.0.0.1/a.png) }",
        ".fixed { background: url( 'asset:x.png' ) }",
        ".fixed { background: url(data:image/svg+xml;base64,PHN2Zy8+) }",
        ".fixed { background: url(data:image/png;base64,PHN2Zy8+) }",
        ".fixed { background: src('http://127.0.0.1/a.png') }",
        ".fixed { background: -webkit-image-set(url(http://127.0.0.1/a.png) 1x) }",
        ".fixed { background: cross-fade(url(http://127.0.0.1/a.png), red) }",
        ".fixed { border-image: url(http://127.0.0.1/a.png) 1 }",
        ".fixed { mask-border: url(http://127.0.0.1/a.png) 1 }",
        ".fixed { cursor: url(http://127.0.0.1/a.png), auto }",
        ".fixed { anchor: attr(id); link: url(http://127.0.0.1/) }",
        ".fixed { --words: '保本' }",
        ".fixed { color: var(--words) }",
        ".fixed::before { content: var(--words) }",
        ".fixed { quotes: '保本' '' }",
        ".fixed::before { content: open-quote }",
        ".fixed::before { content: ''attr(class) }",
        ".fixed { display: list-item; list-style-type: '保本' }",
        ".fixed { display: list-item; list-style: symbols('保本') }",
        ".fixed { hyphenate-character: '保本' }",
        ".fixed { block-ellipsis: '保本' }",
        ".fixed { text-overflow: '保本' }",
        ".fixed { max-lines: 1 }",
        ".fixed { string-set: x content() }",
        ".fixed { unicode-bidi: bidi-override; direction: rtl }",
        ".fixed { direction: rtl }",
        ".fixed { float: footnote }",
        ".fixed { position: running(x) }",
        ".disclosure { d\\69splay: n\\6fne }",
        ".disclosure { DISPLAY: NONE }",
        ".fixed { width: 1e12px }",
        ".fixed { width: -1e9px }",
        ".fixed { columns: " + "9" * 5000 + " }",
        ".fixed { width: calc(1px * 1e9) }",
        ".fixed { grid-template: repeat(1000000, 1px) / none }",
        ".fixed { width: " + "calc(" * 100 + "1px" + ")" * 100 + " }",
        ".fixed { background: linear-gradient(" + "red," * 500 + "red) }",
        ".a,".replace("a", "a,.a" * 300) + ".b { color: red }",
        ".a { color: red }" * 2001,
        "]",
    ],
)
def test_a_style_neither_fetches_nor_hides_nor_speaks(tmp_path, rule):
    source = write_template(tmp_path, style=STYLE + rule)

    with pytest.raises(TemplateError):
        compile_template(source)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1/",
        "jar:file:///a!/b",
        "asset:../secret.png",
        "asset:/etc/passwd",
        "asset:..%2fsecret.png",
        "asset:pictures/../../secret.png",
        "asset:..\\secret.png",
        "asset:link.png",
        "asset:manifest.yaml",
        "asset:body.html",
        "asset:",
        "asset:.",
        "asset:@slot/",
        "asset:@slot/nobody",
        "asset:gone.png",
        "ASSET:../secret.png",
    ],
)
def test_the_fetcher_leaves_the_folder_for_nobody(tmp_path, address):
    folder = tmp_path / "template"
    write_template(folder)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")

    with pytest.raises((FatalURLFetchingError, ValueError)):
        AssetFetcher(folder)(address)


def test_the_fetcher_serves_a_picture_of_the_template(tmp_path):
    write_template(tmp_path)
    (tmp_path / "dot.svg").write_text("<svg/>", encoding="utf-8")

    assert AssetFetcher(tmp_path)("asset:dot.svg").read() == b"<svg/>"


@pytest.mark.parametrize(
    "inside",
    [
        "<text>保本</text>",
        "<image href='file:///etc/passwd'/>",
        "<use href='http://127.0.0.1/a.svg#x'/>",
        "<foreignObject><p>字</p></foreignObject>",
        "<script>1</script>",
        "<style>@import 'http://127.0.0.1/'</style>",
        "<rect onload='x()'/>",
        "<rect fill='url(http://127.0.0.1/a.svg#x)'/>",
        "<rect style='fill:url(file:///etc/passwd)'/>",
        "<unclosed>",
        "<g onmouseover='x()'/>",
        "<g class='x'/>",
        "<rect fill='URL(http://127.0.0.1/a.svg#x)'/>",
        "<rect fill='u\\72l(http://127.0.0.1/)'/>",
        "<rect fill=' url(#x)'/>",
        "<rect fill='url(#x) url(http://127.0.0.1/)'/>",
        "<rect filter='url(#x)'/>",
        "<filter><feImage href='http://127.0.0.1/a.png'/></filter>",
        "<pattern id='p'><rect/></pattern>",
        "<marker id='m'><rect/></marker>",
        "<mask id='m'><rect/></mask>",
        "<animate attributeName='href' to='file:///etc/passwd'/>",
        "<set attributeName='fill' to='red'/>",
        "<a href='http://127.0.0.1/'><rect/></a>",
        "<tspan>保本</tspan>",
        "<linearGradient id='a' href='#b'/>",
        "<linearGradient id='a' xmlns:x='http://www.w3.org/1999/xlink' x:href='file:///etc/passwd'/>",
        "<rect xml:base='http://127.0.0.1/'/>",
        "<x:rect xmlns:x='http://127.0.0.1/'/>",
        "<clipPath id='a' clip-path='url(#a)'><rect/></clipPath>",
        "<clipPath id='a'><rect clip-path='url(#b)'/></clipPath>",
        "<g>" * 30 + "</g>" * 30,
        "<rect/>" * 20_000,
        "<![CDATA[x]]>",
        "<?xml-stylesheet href='http://127.0.0.1/a.css'?>",
    ],
)
def test_a_drawing_of_a_template_holds_shapes_only(tmp_path, inside):
    source = write_template(tmp_path)
    drawing = f"<svg xmlns='http://www.w3.org/2000/svg'>{inside}</svg>"
    (tmp_path / "drawing.svg").write_text(drawing, encoding="utf-8")

    with pytest.raises(TemplateError, match=r"drawing\.svg"):
        compile_template(source)


def test_a_drawing_that_declares_entities_is_refused_unread(tmp_path):
    source = write_template(tmp_path)
    bomb = "<!DOCTYPE svg [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><svg>&b;</svg>"
    (tmp_path / "drawing.svg").write_text(bomb, encoding="utf-8")

    with pytest.raises(TemplateError, match="entities"):
        compile_template(source)


def test_a_picture_that_is_not_there_stops_the_compilation(tmp_path):
    body = BODY.replace("设计里的字", "<img src='asset:gone.png' alt=''>")

    with pytest.raises(TemplateError):
        compile_template(write_template(tmp_path, body=body))


def test_a_picture_that_cannot_be_read_stops_the_compilation(tmp_path):
    body = BODY.replace("设计里的字", "<img src='asset:broken.png' alt=''>")
    source = write_template(tmp_path, body=body)
    (tmp_path / "broken.png").write_bytes(b"not a picture")

    with pytest.raises(TemplateError):
        compile_template(source)


@pytest.mark.parametrize("lost", ["headline", "qr", "disclosure"])
def test_a_body_without_an_obligatory_field_is_refused(tmp_path, lost):
    body = BODY.replace(f'data-field="{lost}"', "")

    with pytest.raises(TemplateError, match=lost):
        compile_template(write_template(tmp_path, body=body))


def test_more_pages_than_declared_are_refused(tmp_path):
    body = BODY + '<section class="page"><p>多出来的一页</p></section>'

    with pytest.raises(TemplateError, match="elements of class page"):
        compile_template(write_template(tmp_path, body=body))


def test_a_page_of_another_size_than_declared_is_refused(tmp_path):
    style = STYLE.replace("400px 300px", "300px 400px")

    with pytest.raises(TemplateError, match="@page"):
        compile_template(write_template(tmp_path, style=style))


def test_a_drawing_under_another_name_is_judged_too(tmp_path):
    source = write_template(tmp_path, body=BODY.replace("设计里的字", "<img src='asset:a.SVG' alt=''>"))
    (tmp_path / "a.SVG").write_text(
        "<svg xmlns='http://www.w3.org/2000/svg'><text>保本</text></svg>", "utf-8"
    )

    with pytest.raises(TemplateError, match="<text>"):
        compile_template(source)


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><text>words</text></svg>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"SIMPLE  =                    T" + b" " * 2850,
        b"not a picture",
        b"",
        png(30_000, 30_000),
    ],
    ids=["a drawing", "eps", "fits", "text", "nothing", "a bomb"],
)
def test_a_picture_of_a_template_is_what_its_name_says(tmp_path, data):
    source = write_template(tmp_path)
    (tmp_path / "a.png").write_bytes(data)

    with pytest.raises(TemplateError, match=r"a\.png"):
        compile_template(source)


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030"])
def test_a_drawing_in_another_encoding_is_refused(tmp_path, encoding):
    source = write_template(tmp_path)
    text = f"<?xml version='1.0' encoding='{encoding}'?><svg xmlns='http://www.w3.org/2000/svg'><desc>字</desc></svg>"
    (tmp_path / "a.svg").write_bytes(text.encode(encoding))

    with pytest.raises(TemplateError, match="UTF-8"):
        compile_template(source)


@pytest.mark.parametrize("name", ["body.html", "style.css", "more.txt", "folder"])
def test_a_link_in_the_folder_is_refused_before_it_is_followed(tmp_path, name):
    folder = tmp_path / "template"
    source = write_template(folder)
    (tmp_path / "canary").write_text("CANARY", encoding="utf-8")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / ("canary" if name != "folder" else ""))

    with pytest.raises(TemplateError, match="plain files") as refused:
        open_document(source)

    assert "CANARY" not in str(refused.value)


def test_a_pipe_in_the_folder_is_refused_and_not_waited_for(tmp_path):
    source = write_template(tmp_path)
    os.mkfifo(tmp_path / "a.png")

    with pytest.raises(TemplateError, match="plain files"):
        open_document(source)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("body.html", 300_000),
        ("style.css", 300_000),
        ("samples.yaml", 300_000),
        ("a.svg", 3_000_000),
        ("a.jpg", 13_000_000),
        ("more.bin", 49 * 1024 * 1024),
    ],
)
def test_a_file_beyond_its_size_is_refused_unread(tmp_path, name, size):
    source = write_template(tmp_path)
    with (tmp_path / name).open("wb") as file:
        file.truncate(size)

    with pytest.raises(TemplateError, match="at most"):
        open_document(source)


def test_a_folder_of_a_thousand_files_is_refused(tmp_path):
    source = write_template(tmp_path)
    for at in range(1000):
        (tmp_path / f"{at}.txt").touch()

    with pytest.raises(TemplateError, match="200 files"):
        open_document(source)


@pytest.mark.parametrize("name", REFUSED)
def test_what_asks_for_all_there_is_is_refused_by_what_it_says(tmp_path, name):
    folder = REFUSED[name](tmp_path / "design")

    with pytest.raises((TemplateError, ManifestError)):
        open_document(open_source(folder))
