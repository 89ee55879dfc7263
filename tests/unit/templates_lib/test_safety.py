"""A template is somebody else's code: what it may not do is refused before it is drawn."""

import pytest

from templates_lib.compile import compile_template
from templates_lib.document import TemplateError
from templates_lib.layout import AssetFetcher, FatalURLFetchingError
from tests.unit.templates_lib.factories import BODY, STYLE, write_template

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
]


@pytest.mark.parametrize("payload", JINJA)
def test_only_slots_and_listed_filters_stand_in_a_body(tmp_path, payload):
    source = write_template(tmp_path, body=BODY.replace("设计里的字", payload))

    with pytest.raises(TemplateError):
        compile_template(source)


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
