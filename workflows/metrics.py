"""What is measured on the way to the workflows. It is imported by client.py alone, never by a workflow."""

from __future__ import annotations

import prometheus_client

SIGNALS = prometheus_client.Counter(
    "sojourn_signals",
    "Signals to entrants by name and answer: taken, not_found (unknown to the server, or ended), failed (told again later).",
    ["signal", "answer"],
)
