"""A provider that takes everything and sends nothing, for benchmarks. It knows neither network nor disk."""

from __future__ import annotations

from journey.messages import Rendered
from providers.port import Answer, Took


class NullProvider:
    """Takes every message of one channel and counts them."""

    name = "null"
    idempotent = True
    longest_call = 1.0

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.count = 0

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        self.count += 1
        return Took(delivery)

    async def close(self) -> None:
        """Nothing is open."""
