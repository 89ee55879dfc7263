"""Forty ways to make a page fetch or read something: a listener hears nothing, a canary stays shut.

Two lines are tried apart. The allow-lists refuse each way by the words it is written in. The
fetcher is then given the same pages unjudged, as if every list had a hole.
"""

import re
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pypdfium2
import pytest
import weasyprint
from PIL import Image
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from templates_lib.compile import compile_template
from templates_lib.document import TemplateError
from templates_lib.layout import AssetFetcher
from tests.unit.templates_lib.factories import BODY, STYLE, picture, write_template

CANARY = b"CANARY-7f3d"
COLOUR = "#12fe34"

# {host} is our listener, {file} the canary's path.
IN_BODY = {
    "img": "<img src='http://{host}/a.png'>",
    "img without a scheme": "<img src='//{host}/a.png'>",
    "img, tab in the scheme": "<img src='ht&#9;tp://{host}/a.png'>",
    "img, blank before": "<img src=' http://{host}/a.png'>",
    "img, wide letters": "<img src='ｈttp://{host}/a.png'>",
    "img, wide slash": "<img src='asset:..／..／{file}'>",
    "img, loopback as a number": "<img src='http://2130706433:{port}/a.png'>",
    "img, loopback in hex": "<img src='http://0x7f.1:{port}/a.png'>",
    "img, loopback in six": "<img src='http://[::ffff:127.0.0.1]:{port}/a.png'>",
    "img, a name that may resolve inside": "<img src='http://localhost.:{port}/a.png'>",
    "img, user in front": "<img src='http://example.com@{host}/a.png'>",
    "img, ftp": "<img src='ftp://{host}/a.png'>",
    "img, file": "<img src='file://{file}'>",
    "img, file with a host": "<img src='file://localhost{file}'>",
    "img, file, encoded": "<img src='file:%2f%2f{file}'>",
    "img, out of the folder": "<img src='asset:../canary.png'>",
    "img, out of the folder, encoded": "<img src='asset:%2e%2e/canary.png'>",
    "img, out by a full path": "<img src='asset:{file}'>",
    "img, a drawing written in": '<img src=\'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg">'
    '<image href="http://{host}/a.png"/><image href="file://{file}"/></svg>\'>',
    "img, a page written in": "<img src='data:text/html,<img src=http://{host}/>'>",
    "srcset": "<img srcset='http://{host}/a.png 1x' src='asset:dot.png'>",
    "attached file": "<a rel=attachment href='file://{file}'>x</a>",
    "attached link": "<link rel=attachment href='http://{host}/a'>",
    "style sheet": "<link rel=stylesheet href='http://{host}/a.css'>",
    "object": "<object data='http://{host}/a.png'></object>",
    "embed": "<embed src='file://{file}'>",
    "iframe": "<iframe src='http://{host}/'></iframe>",
    "base": "<base href='http://{host}/'><img src='a.png'>",
    "style attribute": "<p style='background: url(http://{host}/a.png)'>x</p>",
    "svg image": "<svg><image href='http://{host}/a.png' width='9' height='9'/></svg>",
    "svg use": "<svg><use href='http://{host}/a.svg#x'/></svg>",
    "svg feImage": "<svg><filter id='f'><feImage href='http://{host}/a.png'/></filter>"
    "<rect width='9' height='9' filter='url(#f)'/></svg>",
    "svg style": "<svg><style>@import 'http://{host}/a.css';</style><rect/></svg>",
}
IN_STYLE = {
    "import": "@import url(http://{host}/a.css);",
    "import, escaped": "@\\69mport 'http://{host}/a.css';",
    "font": "@font-face {{ font-family: f; src: url(http://{host}/a.ttf), url(file://{file}) }} "
    "p {{ font-family: f }}",
    "background": ".fixed {{ background: url(http://{host}/a.png) }}",
    "background, escaped": ".fixed {{ background: u\\72l(http://{host}/a.png) }}",
    "background, file": ".fixed {{ background: url(file://{file}) }}",
    "background, relative": ".fixed {{ background: url(../canary.png) }}",
    "background, of two": ".fixed {{ background: url(asset:dot.png), url(http://{host}/a.png) }}",
    "border": ".fixed {{ border: 1px solid; border-image: url(http://{host}/a.png) 1 }}",
    "mark of a list": ".fixed {{ display: list-item; list-style-image: url(http://{host}/a.png) }}",
    "content": ".fixed::before {{ content: url(http://{host}/a.png) }}",
    "content of a margin": "@page {{ @top-left {{ content: url(http://{host}/a.png) }} }}",
    "page": "@page {{ background: url(http://{host}/a.png) }}",
    "colours": "@color-profile --c {{ src: url(http://{host}/a.icc) }}",
    "by way of a name": ".fixed {{ --u: url(http://{host}/a.png); background: var(--u) }}",
}
WAYS = [*((name, "body") for name in IN_BODY), *((name, "style") for name in IN_STYLE)]


class Trap:
    """Something that hears every call, and a picture whose colour and words must not be seen."""

    def __init__(self, folder: Path) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self.folder = folder / "template"
        self.canary = folder / "canary.png"
        self.canary.write_bytes(picture("PNG", colour=COLOUR) + CANARY)
        write_template(self.folder)
        (self.folder / "dot.png").write_bytes(picture("PNG", (2, 2)))

    def set(self, words: str) -> str:
        return words.format(host=f"127.0.0.1:{self.port}", port=self.port, file=self.canary)

    def heard(self) -> bool:
        try:
            called, _ = self._listener.accept()
        except BlockingIOError:
            return False
        called.close()
        return True

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def trap(tmp_path_factory) -> Iterator[Trap]:
    found = Trap(tmp_path_factory.mktemp("trap"))
    yield found
    found.close()


def drawn(page: str, fetcher: URLFetcher) -> bytes:
    """The page as a PDF, or nothing where the engine was refused what it asked for."""
    try:
        html = weasyprint.HTML(string=page, base_url="asset:", url_fetcher=fetcher)
        return bytes(html.write_pdf(uncompressed_pdf=True))
    except FatalURLFetchingError:
        return b""


def seen(pdf: bytes) -> bool:
    """Whether the canary's words are in the file, or its colour on any page."""
    if CANARY in pdf or any(CANARY in stream for stream in inflated(pdf)):
        return True
    pages = pypdfium2.PdfDocument(pdf) if pdf else ()
    return any(COLOUR in colours(page.render().to_pil()) for page in pages)


def inflated(pdf: bytes) -> Iterator[bytes]:
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            yield zlib.decompress(stream)


def colours(image: Image.Image) -> set[str]:
    found = image.convert("RGB").getcolors(1 << 24) or []
    return {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in found}


@pytest.mark.parametrize(("name", "where"), WAYS)
def test_the_lists_refuse_it(trap, name, where):
    body, style = BODY, STYLE
    if where == "body":
        body = BODY.replace("设计里的字", trap.set(IN_BODY[name]))
    else:
        style = STYLE + trap.set(IN_STYLE[name])

    with pytest.raises(TemplateError):
        compile_template(write_template(trap.folder, body=body, style=style))


@pytest.mark.parametrize(("name", "where"), WAYS)
def test_the_fetcher_alone_lets_nothing_out_and_nothing_in(trap, name, where):
    body = trap.set(IN_BODY[name]) if where == "body" else "<p class=fixed>x</p>"
    style = trap.set(IN_STYLE[name]) if where == "style" else ""

    pdf = drawn(f"<style>{style}</style>{body}", AssetFetcher(trap.folder))

    assert not trap.heard()
    assert not seen(pdf)


def test_the_trap_would_have_caught_it(trap):
    open_to_all = drawn(trap.set(IN_BODY["img, file"]), URLFetcher())
    socket.create_connection(("127.0.0.1", trap.port)).close()

    assert seen(open_to_all)
    assert trap.heard()
