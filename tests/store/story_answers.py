"""A provider that answers as a script tells it. It knows no store."""

from __future__ import annotations

from dataclasses import dataclass

from journey.calls import Response, meaning
from journey.messages import Rendered
from providers.port import Answer, Later, Refused, Took


@dataclass
class Answers:
    """Carries calls, and answers as it is told: None is a refusal without a word."""

    response: Response | None
    channel: str = "webhook"
    name: str = "answers"
    idempotent: bool = True
    longest_call: float = 1.0

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        if self.response is None:
            return Refused("call_refused")
        match meaning(self.response.status):
            case "took":
                return Took(response=self.response)
            case "later":
                return Later(response=self.response)
        return Refused("call_refused", response=self.response)

    async def close(self) -> None:
        """Nothing is open."""
