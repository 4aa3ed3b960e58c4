"""What the chaos has measured, as tables: shown at the end of a run, and kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).parents[2] / "chaos-results.json"
Row = dict[str, str | int | float]


class Tables:
    """Rows by the name of their table, in the order in which they came."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {}

    def add(self, table: str, **row: str | int | float) -> None:
        self.rows.setdefault(table, []).append(row)

    def shown(self) -> Iterator[str]:
        for table, rows in self.rows.items():
            columns = list(dict.fromkeys(name for row in rows for name in row))
            lines = [columns, *([str(row.get(name, "")) for name in columns] for row in rows)]
            widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
            yield f"\n{table}"
            yield from ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)

    def keep(self, file: Path) -> None:
        """Add to what is there: a run of one file leaves the tables of the others."""
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(known | self.rows, indent=1) + "\n")


TABLES = Tables()
