"""Small templates written for one test."""

# ruff: noqa: E501  the three files read better whole

import io
from pathlib import Path

from PIL import Image

from templates_lib.catalog import TemplateSource, open_source

MANIFEST = """\
slug: note
version: 1
name: 便笺
kind: card
style: 素
summary: 一张便笺
audience: 测试
pages: 1
size: {name: 小, width_px: 400, height_px: 300}
product_type: fund
disclosure: 基金有风险，投资须谨慎。
disclosure_min_px: 12
use_guide: 无
rights: 无图片
slots:
  - {name: headline, label: 标题, kind: text, source: advisor, required: true, max_chars: 60, max_lines: 2, default: 你好}
  - {name: seal, label: 印, kind: text, source: head_office, locked: true, default: 示例银行, max_chars: 8}
  - {name: mood, label: 问候, kind: phrase, source: advisor, phrases: [早安, 晚安], default: 早安}
  - {name: made_on, label: 日期, kind: date, source: head_office}
  - {name: name, label: 姓名, kind: text, source: profile, profile_field: name, max_chars: 12, max_lines: 1}
  - {name: photo, label: 照片, kind: image, source: profile, profile_field: photo}
  - {name: qr, label: 二维码, kind: qr, source: system, required: true}
"""

BODY = """\
<section class="page">
  <div class="words" data-frame="words"><h1 data-field="headline">{{ headline }}</h1></div>
  <p class="fixed">设计里的字 <span data-field="seal">{{ seal }}</span></p>
  <p class="small"><span data-field="mood">{{ mood }}</span>{% if made_on %}<span data-field="made_on">{{ made_on | date_han }}</span>{% endif %}<span data-field="name">{{ name }}</span></p>
  <img class="photo" data-field="photo" data-ink="#224466" src="{{ photo }}" alt="">
  <img class="qr" data-field="qr" data-ink="#000000" src="{{ qr }}" alt="">
  <p class="disclosure" data-field="disclosure">{{ disclosure }}</p>
</section>
"""

STYLE = """\
@page { size: 400px 300px; margin: 0 }
* { margin: 0; padding: 0 }
body { font-family: "Noto Sans CJK SC" }
.page { position: relative; width: 400px; height: 300px; background: #fff }
.words { position: absolute; left: 20px; top: 20px; width: 200px; height: 60px }
h1 { font-size: 20px; line-height: 30px; white-space: pre-line }
.fixed { position: absolute; left: 20px; top: 100px; width: 200px; font-size: 14px; line-height: 20px }
.small { position: absolute; left: 20px; top: 130px; width: 200px; font-size: 14px; line-height: 20px }
.photo { position: absolute; left: 20px; top: 170px; width: 60px; height: 60px }
.qr { position: absolute; left: 260px; top: 30px; width: 116px; height: 116px }
.disclosure { position: absolute; left: 20px; top: 250px; width: 360px; font-size: 12px; line-height: 20px }
"""

URL = "https://go.example.com/s/Ab3dE"


def write_template(
    folder: Path, *, manifest: str = MANIFEST, body: str = BODY, style: str = STYLE
) -> TemplateSource:
    """A template in a folder of its own, differing from a sound one only where the test says so."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.yaml").write_text(manifest, encoding="utf-8")
    (folder / "body.html").write_text(body, encoding="utf-8")
    (folder / "style.css").write_text(style, encoding="utf-8")
    return open_source(folder)


def picture(
    image_format: str = "JPEG",
    size: tuple[int, int] = (120, 160),
    colour: str = "#884422",
    **options,
) -> bytes:
    """A plain picture as a camera or a malicious hand might write it."""
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, image_format, **options)
    return target.getvalue()
