"""The plain text of an e-mail that was only written as HTML. It knows one rendered document and nothing of whom it is for."""

from __future__ import annotations

import html
import re

# What never closes reaches to the end, so that a document is read once.
_UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)|<(head|style|script|title)\b[^>]*+>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>|<![^>]*+>""")
_HREF = re.compile(r"""(?:^|\s)href\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)""", re.IGNORECASE)
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"})
_LINES = _PARAGRAPHS | {"br", "div", "tr", "li", "section", "article", "header", "footer", "hr"}
_BREAK, _PARAGRAPH = "\x00", "\x01"
_SPACE = re.compile(r"[ \t\r\n\f]+")
_AROUND = re.compile(r" *([\x00\x01]) *")
_BREAKS = re.compile(r"[\x00\x01]+")


def of_html(document: str) -> str:
    """What a reader without HTML sees: paragraphs apart, list items with a dash, each link followed by its address."""
    links: list[str] = []

    def written(tag: re.Match[str]) -> str:
        closing, name = tag[1], (tag[2] or "").lower()
        if name == "a":
            if not closing:
                href = _HREF.search(tag[3])
                links.append(href[1].strip("\"'") if href else "")
                return ""
            address = links.pop() if links else ""
            return f" ({address})" if address and not address.startswith("#") else ""
        if name not in _LINES:
            return ""
        mark = _PARAGRAPH if name in _PARAGRAPHS else _BREAK
        return f"{mark}- " if name == "li" and not closing else mark

    seen = _SPACE.sub(" ", _UNSEEN.sub("", document.replace(_BREAK, "").replace(_PARAGRAPH, "")))
    marked = _AROUND.sub(r"\1", _TAG.sub(written, seen))
    text = _BREAKS.sub(lambda breaks: "\n\n" if _PARAGRAPH in breaks[0] else "\n", marked)
    return html.unescape(text).strip() + "\n"
