"""The looks of a diagram: one icon a kind, drawn on 24 by 24, and the colours for light and dark. It knows no diagram."""

from __future__ import annotations

ICONS = {
    "read_segment": '<circle cx="9" cy="8" r="3.6"/><path d="M2.5 20c.4-4 3-6 6.5-6s6.1 2 6.5 6"/><path d="M15.5 4.7a3.5 3.5 0 0 1 0 6.6"/>'
    '<path d="M18 14.6c2 .8 3.2 2.6 3.5 5.4"/>',
    "message": '<rect x="2.5" y="5" width="19" height="14" rx="2.5"/><path d="M3.5 7l8.5 6.5L20.5 7"/>',
    "reaction": '<path d="M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12z"/><circle cx="12" cy="12" r="2.9"/>',
    "event": '<path d="M13 2.5L4.5 13.5H11L10 21.5l9-11.5h-6.5z"/>',
    "qualification": '<circle cx="10" cy="8" r="3.6"/><path d="M3 20c.5-4 3-6 7-6"/><path d="M14.5 17.5l2.5 2.5 4.5-5"/>',
    "wait": '<circle cx="12" cy="12" r="9"/><path d="M12 6.5V12l3.5 2.5"/>',
    "condition": '<path d="M12 2.5v6M12 8.5c0 5-6.5 4-6.5 10M12 8.5c0 5 6.5 4 6.5 10"/><path d="M3 16l2.5 3 2.5-3M16 16l2.5 3 2.5-3"/>',
    "split": '<circle cx="12" cy="12" r="9"/><path d="M12 3v9l6.5 6"/>',
    "update_profile": '<path d="M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19z"/><path d="M13.5 7l3.5 3.5"/>',
    "webhook": '<path d="M9 15l6-6"/><path d="M11 6.5l1.5-1.5a4.6 4.6 0 0 1 6.5 6.5L17.5 13M13 17.5L11.5 19A4.6 4.6 0 0 1 5 12.5L6.5 11"/>',
    "jump": '<path d="M4 18c0-7 5-9 15-9"/><path d="M14.5 4.5L19.5 9l-5 4.5"/>',
    "end": '<path d="M5 21.5V3.5"/><path d="M5 4.5h12.5l-3 4 3 4H5"/>',
    "missing": '<circle cx="12" cy="12" r="9"/><path d="M12 7v6.5M12 16.8v.2"/>',
}  # fmt: skip
"""Strokes alone: their colour comes from the style."""

_TILES = {
    "read_segment": ("#2563eb", "#3b82f6"), "message": ("#7c3aed", "#8b5cf6"), "reaction": ("#0d9488", "#14b8a6"),
    "event": ("#d97706", "#f59e0b"),
    "qualification": ("#0891b2", "#06b6d4"), "wait": ("#64748b", "#64748b"), "condition": ("#db2777", "#ec4899"),
    "split": ("#db2777", "#ec4899"),
    "update_profile": ("#4f46e5", "#6366f1"), "webhook": ("#4f46e5", "#6366f1"), "jump": ("#4f46e5", "#6366f1"),
    "end": ("#374151", "#4b5563"), "missing": ("#dc2626", "#ef4444"),
}  # fmt: skip
_LIGHT = {
    "ground": "#f8fafc", "card": "#ffffff", "edge": "#d8dee8", "ink": "#0f172a", "soft": "#5b6779", "line": "#8a97a8", "frame": "#eef2f7",
    "dash": "#b6c1cf", "late": "#b45309", "error": "#dc2626", "branch": "#be185d",
}  # fmt: skip
_DARK = {
    "ground": "#0d1320", "card": "#182132", "edge": "#2c394e", "ink": "#eef2f8", "soft": "#9aa8bc", "line": "#65758c", "frame": "#121a29",
    "dash": "#3b4a61", "late": "#fbbf24", "error": "#f87171", "branch": "#f472b6",
}  # fmt: skip


def _colours(of: dict[str, str], tile: int) -> str:
    """What differs between light and dark."""
    s = ".sojourn "
    rules = [
        f"{s}.ground{{fill:{of['ground']}}}",
        f"{s}.card{{fill:{of['card']};stroke:{of['edge']}}}{s}.rule{{stroke:{of['edge']}}}",
        f"{s}.title,{s}.name,{s}.number{{fill:{of['ink']}}}",
        f"{s}.kind,{s}.detail,{s}.number tspan,{s}.hint{{fill:{of['soft']}}}",
        f"{s}.frame{{fill:{of['frame']};stroke:{of['dash']}}}",
        f"{s}.line{{stroke:{of['line']}}}{s}.tip{{fill:{of['line']}}}",
        f"{s}.label rect{{fill:{of['ground']};stroke:{of['edge']}}}{s}.label text{{fill:{of['soft']}}}",
        f"{s}.missing .card{{stroke:{of['error']}}}",
    ]
    for manner, name in (("timeout", "late"), ("error", "error"), ("branch", "branch")):
        rules.append(
            f"{s}.line.{manner}{{stroke:{of[name]}}}{s}.tip.{manner},{s}.label.{manner} text{{fill:{of[name]}}}"
            f"{s}.label.{manner} rect{{stroke:{of[name]}}}"
        )
    rules += [f"{s}.{kind} .tile{{fill:{pair[tile]}}}" for kind, pair in _TILES.items()]
    return "".join(rules)


_SHAPES = (
    ".sojourn text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    ".sojourn .title{font-size:18px;font-weight:650}"
    ".sojourn .kind{font-size:10px;letter-spacing:.06em;text-transform:uppercase;font-weight:600}"
    ".sojourn .name{font-size:14px;font-weight:600}"
    ".sojourn .detail,.sojourn .hint{font-size:11.5px}"
    ".sojourn .hint{font-style:italic}"
    ".sojourn .number{font-size:12.5px;font-weight:650;font-variant-numeric:tabular-nums}"
    ".sojourn .number tspan{font-weight:400;font-size:11.5px}"
    ".sojourn .right{text-anchor:end}"
    ".sojourn .frame{stroke-width:1.4;stroke-dasharray:5 5}"
    ".sojourn .line{fill:none;stroke-width:1.8}"
    ".sojourn .line.timeout,.sojourn .line.error{stroke-dasharray:6 4}"
    ".sojourn .icon{fill:none;stroke:#fff;stroke-width:1.9;stroke-linecap:round;stroke-linejoin:round}"
    ".sojourn .label text{font-size:11px;font-weight:600;text-anchor:middle;font-variant-numeric:tabular-nums}"
    ".sojourn .missing .card{stroke-dasharray:5 4}"
)
STYLE = _SHAPES + _colours(_LIGHT, 0) + "@media (prefers-color-scheme:dark){" + _colours(_DARK, 1) + "}"
"""Every rule is bound to the class `sojourn`, so that a picture inside a page changes nothing around it."""
