"""Draw the two sample portraits: flat drawings of nobody, so that no real face is in the library.

Usage: python portraits.py OUT_FOLDER
"""

import sys
from pathlib import Path

from PIL import Image

from templates_lib import layout

WIDTH_PX, HEIGHT_PX = 720, 900

WOMAN = """
<defs>
  <linearGradient id="wall" x1="0" y1="0" x2="0.5" y2="1"><stop offset="0" stop-color="#dfe4e6"/><stop offset="1" stop-color="#b9c4c9"/></linearGradient>
  <linearGradient id="jacket" x1="0" y1="0" x2="0.3" y2="1"><stop offset="0" stop-color="#2f4257"/><stop offset="1" stop-color="#1f2d3d"/></linearGradient>
  <linearGradient id="skin" x1="0" y1="0" x2="1" y2="0.4"><stop offset="0" stop-color="#f5d3bb"/><stop offset="1" stop-color="#e9bb9e"/></linearGradient>
  <linearGradient id="hair" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#3a2d29"/><stop offset="1" stop-color="#231b19"/></linearGradient>
</defs>
<rect width="720" height="900" fill="url(#wall)"/>
<circle cx="590" cy="170" r="250" fill="#ffffff" opacity="0.22"/>
<path d="M208 350C196 190 268 108 366 108c104 0 166 78 158 226-4 84 14 150 34 190-40 26-92 30-132 14H290c-34 14-82 8-112-18 22-42 34-100 30-170z" fill="url(#hair)"/>
<path d="M58 900c6-150 74-214 190-246l112-34 112 34c116 32 184 96 190 246z" fill="url(#jacket)"/>
<path d="M268 640l92-40 92 40-50 130-42 130-42-130z" fill="#f7f5f1"/>
<path d="M300 520h120v92c0 36-26 74-60 74s-60-38-60-74z" fill="#dfae91"/>
<path d="M246 330c0-96 46-150 114-150s114 54 114 150c0 128-56 214-114 214s-114-86-114-214z" fill="url(#skin)"/>
<path d="M240 372c-10-130 40-206 126-206 82 0 122 62 116 196-20-30-34-70-38-112-60 34-136 40-172 30-10 34-18 66-32 92z" fill="url(#hair)"/>
<path d="M286 344c14-10 34-12 50-4M386 340c16-8 36-6 50 4" stroke="#3a2b26" stroke-width="7" fill="none" stroke-linecap="round"/>
<path d="M292 380c12-10 30-10 40 2M390 382c10-12 28-12 40-2" stroke="#241a18" stroke-width="8" fill="none" stroke-linecap="round"/>
<path d="M362 384c2 24 6 40 8 52-8 8-18 8-26 4" stroke="#d39c80" stroke-width="6" fill="none" stroke-linecap="round"/>
<path d="M326 474c22 18 50 18 72 0-8 26-24 36-36 36s-28-10-36-36z" fill="#bd5f58"/>
<path d="M246 646l-46 26 88 150 72-40-60-62zM474 646l46 26-88 150-72-40 60-62z" fill="#3a5068"/>
<circle cx="500" cy="770" r="9" fill="#d8b46a"/>
"""

MAN = """
<defs>
  <linearGradient id="wall" x1="0" y1="0" x2="0.5" y2="1"><stop offset="0" stop-color="#e6e0d6"/><stop offset="1" stop-color="#c9bfb0"/></linearGradient>
  <linearGradient id="jacket" x1="0" y1="0" x2="0.3" y2="1"><stop offset="0" stop-color="#3b3f46"/><stop offset="1" stop-color="#23262b"/></linearGradient>
  <linearGradient id="skin" x1="0" y1="0" x2="1" y2="0.4"><stop offset="0" stop-color="#efc7a6"/><stop offset="1" stop-color="#dda987"/></linearGradient>
</defs>
<rect width="720" height="900" fill="url(#wall)"/>
<circle cx="130" cy="180" r="260" fill="#ffffff" opacity="0.2"/>
<path d="M34 900c8-160 84-222 206-254l120-30 120 30c122 32 198 94 206 254z" fill="url(#jacket)"/>
<path d="M262 636l98-36 98 36-54 132-44 132-44-132z" fill="#fbfaf7"/>
<path d="M298 520h124v92c0 40-28 66-62 66s-62-26-62-66z" fill="#cf9a78"/>
<path d="M240 330c0-100 48-154 120-154s120 54 120 154c0 126-58 216-120 216S240 456 240 330z" fill="url(#skin)"/>
<path d="M232 344c-16-132 40-206 132-206 88 0 138 66 124 204-12-22-22-46-26-78-44-14-92-18-128-44-16 34-48 54-74 60-8 22-18 42-28 64z" fill="#2a2422"/>
<path d="M282 344c16-10 38-10 54-2M384 342c16-8 38-8 54 2" stroke="#2a2220" stroke-width="10" fill="none" stroke-linecap="round"/>
<g fill="none" stroke="#2b2b2e" stroke-width="6"><rect x="270" y="358" width="78" height="54" rx="22"/><rect x="372" y="358" width="78" height="54" rx="22"/><path d="M348 378c8-6 16-6 24 0"/></g>
<circle cx="310" cy="386" r="8" fill="#241a18"/><circle cx="410" cy="386" r="8" fill="#241a18"/>
<path d="M362 400c2 20 6 36 10 46-8 8-20 8-28 4" stroke="#bd8462" stroke-width="6" fill="none" stroke-linecap="round"/>
<path d="M322 482c24 16 52 16 76 0" stroke="#a85a4c" stroke-width="8" fill="none" stroke-linecap="round"/>
<path d="M342 664h36l14 40-32 170-32-170z" fill="#8a2f2b"/>
<path d="M240 640l-54 26 100 160 74-52-66-56zM480 640l54 26-100 160-74-52 66-56z" fill="#4a4f57"/>
"""


def draw(drawing: str) -> Image.Image:
    scale = 2
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX * scale}" '
        f'height="{HEIGHT_PX * scale}" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}">{drawing}</svg>'
    )
    fetcher = layout.AssetFetcher(Path(), {"drawing": layout.SlotPicture(svg.encode(), "image/svg+xml")})
    page = (
        f"<style>@page{{size:{WIDTH_PX * scale}px {HEIGHT_PX * scale}px;margin:0}}body{{margin:0}}"
        'img{display:block}</style><img src="asset:@slot/drawing">'
    )
    pdf = layout.write_pdf(layout.lay_out(page, fetcher))
    picture = layout.rasterise(pdf, 0, WIDTH_PX * scale, HEIGHT_PX * scale)
    return picture.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    for name, drawing in (("woman", WOMAN), ("man", MAN)):
        draw(drawing).save(Path(sys.argv[1]) / f"portrait-{name}.jpg", quality=88)
