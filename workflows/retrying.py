"""The one way to retry an activity: for ever, with pauses that double. What a provider answered is counted in the store, not here (M2)."""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy

RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
"""Of what works through pages of our own."""
SENDING = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))
"""Of what may wait for a provider: as long at the most as the longest pause between two tries."""
DEAD = timedelta(seconds=15)
"""An attempt that shows no sign of life for so long has died with its worker (activities/on_their_way.py has how often it shows one)."""
