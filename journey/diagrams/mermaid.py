"""A diagram as Mermaid text, for a README or a pull request. It knows no layout: Mermaid makes its own."""

from __future__ import annotations

from journey.diagrams.diagram import KINDS, Box, Diagram

_SHAPES = {
    "read_segment": ("([", "])"), "message": ("[", "]"), "reaction": ("{{", "}}"), "event": ("{{", "}}"), "qualification": ("{{", "}}"),
    "wait": ("([", "])"), "condition": ("{", "}"), "split": ("{", "}"), "end": ("((", "))"), "missing": ("[/", "/]"),
}  # fmt: skip
_LOOKS = {
    "read_segment": "fill:#e0edff,stroke:#2563eb,color:#0b1b34", "message": "fill:#ede4ff,stroke:#7c3aed,color:#1e1037",
    "reaction": "fill:#d9f5ee,stroke:#0d9488,color:#062a26", "event": "fill:#fdeccf,stroke:#d97706,color:#331d02",
    "wait": "fill:#e8ecf1,stroke:#64748b,color:#111827", "condition": "fill:#fde2ee,stroke:#db2777,color:#350c20",
    "end": "fill:#e5e7eb,stroke:#374151,color:#111827", "missing": "fill:#fee2e2,stroke:#dc2626,color:#450a0a",
}  # fmt: skip


def render(diagram: Diagram) -> str:
    """The flowchart, from the top to the bottom."""
    lines = ["flowchart TD"]
    framed = {node: index for index, gate in enumerate(diagram.gates) for node in reversed(gate)}
    for index, gate in enumerate(diagram.gates):
        lines.append(f'  subgraph gate{index}["the first to happen"]')
        lines += [f"    {_shape(box)}" for box in diagram.boxes if box.id in gate and framed[box.id] == index]
        lines.append("  end")
    lines += [f"  {_shape(box)}" for box in diagram.boxes if box.id not in framed]
    for arrow in diagram.arrows:
        words = [arrow.label] if arrow.label else []
        words += [str(arrow.count)] if arrow.count is not None else []
        line = "-.->" if arrow.manner in ("timeout", "error") else "-->"
        said = f'|"{_text(" · ".join(words))}"|' if words else ""
        lines += [f"  {_name(arrow.source)} {line}{said} {_name(target)}" for target in arrow.targets]
    for kind, look in _LOOKS.items():
        of_kind = [_name(box.id) for box in diagram.boxes if box.kind == kind]
        if of_kind:
            lines += [f"  classDef is_{kind} {look}", f"  class {','.join(of_kind)} is_{kind}"]
    return "\n".join(lines) + "\n"


def _shape(box: Box) -> str:
    opening, closing = _SHAPES.get(box.kind, ("[", "]"))
    said = [f"<b>{_text(box.title)}</b>", f"<i>{_text(' · '.join(part for part in (KINDS[box.kind].lower(), box.detail) if part))}</i>"]
    if box.numbers is not None:
        said.append(f"{box.numbers.arrived} arrived" + (f", {box.numbers.inside} inside" if box.kind != "end" else ""))
    return f'{_name(box.id)}{opening}"{"<br/>".join(said)}"{closing}'


def _name(node_id: str) -> str:
    """A name that Mermaid takes for no word of its own (`end`) and no arrow (`a--b`); ids of nodes hold no underscore."""
    return "n_" + node_id.replace("-", "_")


def _text(text: str) -> str:
    """Text that ends no label and is no HTML."""
    for mark, written in (("#", "#35;"), ("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(mark, written)
    return " ".join(text.split())
