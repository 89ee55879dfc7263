"""A design small enough to draw hundreds of times in a test."""

from __future__ import annotations

from pathlib import Path

MANIFEST = """\
slug: note
version: 1
name: 便签
kind: daily
style: 素
summary: 一行字的便签。
audience: 所有客户
pages: 1
size: {name: 便签, width_px: 320, height_px: 200}
product_type: none
disclosure: 本图为日常问候，不构成投资建议。
disclosure_min_px: 10
tags: [问候]
use_guide: 日常问候时发。
rights: 无图片。
slots:
  - {name: headline, label: 一句话, kind: text, source: advisor, required: true, max_chars: 12, max_lines: 1,
     default: 早安}
  - {name: name, label: 姓名, kind: text, source: profile, profile_field: name, required: true, max_chars: 12,
     max_lines: 1}
"""
_BODY = """\
<section class="page">
  <p class="headline" data-field="headline">{{ headline }}</p>
  <p class="name" data-field="name">{{ name }}</p>
  <p class="disclosure" data-field="disclosure">{{ disclosure }}</p>
</section>
"""
_STYLE = """\
@page { size: 320px 200px; margin: 0 }
html { font-family: "Noto Sans SC" }
body { margin: 0; color: #222222; background: #ffffff }
.page { width: 320px; height: 200px; position: relative }
.headline { position: absolute; left: 16px; top: 30px; width: 288px; margin: 0;
  font-size: 20px; line-height: 30px }
.name { position: absolute; left: 16px; top: 90px; width: 288px; margin: 0;
  font-size: 14px; line-height: 20px }
.disclosure { position: absolute; left: 16px; top: 160px; width: 288px; margin: 0; font-size: 11px;
  line-height: 14px }
"""
_SAMPLES = """\
- {name: longest, label: 写满, values: {headline: 一二三四五六七八九十十一, name: 阿卜杜热西提·买买提}}
- {name: shortest, label: 最短, values: {headline: 早, name: 于一}}
"""
_STRIP = """\
variants:
  - {name: strip, label: 横条 2:1, width_px: 200, height_px: 100}
slots:
"""
# six characters a line, where the design itself takes fourteen
_STRIP_STYLE = (
    _STYLE.replace("320px 200px", "200px 100px")
    .replace("width: 320px; height: 200px", "width: 200px; height: 100px")
    .replace("top: 30px; width: 288px", "top: 4px; width: 128px")
    .replace("top: 90px; width: 288px", "top: 40px; width: 180px")
    .replace("left: 16px; top: 160px; width: 288px", "left: 4px; top: 72px; width: 192px")
)


def small_library(root: Path) -> Path:
    """A library of one small design, in a folder of the test's own."""
    folder = root / "note" / "1"
    folder.mkdir(parents=True)
    files = {
        "manifest.yaml": MANIFEST,
        "body.html": _BODY,
        "style.css": _STYLE,
        "samples.yaml": _SAMPLES,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return root


def library_with_a_strip(root: Path, *, samples: str = _SAMPLES) -> Path:
    """The same design, which also comes as a strip that holds half as many words."""
    folder = small_library(root) / "note" / "1"
    (folder / "manifest.yaml").write_text(MANIFEST.replace("slots:\n", _STRIP), encoding="utf-8")
    (folder / "strip.css").write_text(_STRIP_STYLE, encoding="utf-8")
    (folder / "samples.yaml").write_text(samples, encoding="utf-8")
    return root
