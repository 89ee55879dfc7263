"""Read a page as a browser without scripts would: its forms with their fields, its words."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import tinyhtml5


def tree(html: str) -> Element:
    return tinyhtml5.parse(html, namespace_html_elements=False)


def words(html: str) -> str:
    """All that the page says, with single blanks, without scripts."""
    root = tree(html)
    for parent in root.iter():
        for child in [*parent]:
            if child.tag in {"script", "style", "template", "noscript"}:
                child.text = ""
                for each in [*child]:
                    child.remove(each)
    return " ".join("".join(root.itertext()).split())


def form_fields(html: str, action: str) -> dict[str, str]:
    """What the form of that address would send as it stands, without any button."""
    found = next(form for form in tree(html).iter("form") if form.get("action") == action)
    fields: dict[str, str] = {}
    for control in found.iter():
        name = control.get("name")
        if not name:
            continue
        if control.tag == "textarea":
            fields[name] = (control.text or "").removeprefix("\n")
        elif control.tag == "select":
            options = list(control.iter("option"))
            chosen = next((one for one in options if one.get("selected") is not None), options[0])
            fields[name] = chosen.get("value", "")
        elif control.tag == "input":
            kind = control.get("type", "text")
            if kind not in {"radio", "checkbox"} or control.get("checked") is not None:
                fields[name] = control.get("value", "")
    return fields


def links(html: str) -> list[str]:
    return [anchor.get("href", "") for anchor in tree(html).iter("a")]


def pictures(html: str) -> list[str]:
    return [image.get("src", "") for image in tree(html).iter("img")]
