"""A process without an API shows its numbers at a port of its own."""

from __future__ import annotations

import socket

import httpx
import pytest

from activities import telemetry
from journey.errors import BadInput


def taken() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    found.listen()
    return found


def test_a_worker_shows_its_numbers_at_a_port_of_its_own() -> None:
    with taken() as found:
        port: int = found.getsockname()[1]
    with telemetry.served("127.0.0.1", port):
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
        nothing = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)

    assert (answer.status_code, answer.headers["content-type"], nothing.status_code) == (200, telemetry.CONTENT_TYPE, 404)
    assert "\nprocess_cpu_seconds_total " in answer.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)


def test_the_numbers_of_the_sdk_stand_beside_them() -> None:
    telemetry.runtime().metric_meter.create_counter("of_a_test", "made by a test").add(3)

    assert b'\nof_a_test_total{service_name="temporal-core-sdk"} 3\n' in telemetry.exposition()
    assert telemetry.runtime() is telemetry.runtime()


def test_a_port_that_is_taken_stops_the_start_with_a_sentence() -> None:
    sentence = r"Nobody can listen at 127\.0\.0\.1, port \d+: .*\. See SOJOURN_METRICS_PORT\."
    with taken() as found, pytest.raises(BadInput, match=sentence), telemetry.served("127.0.0.1", found.getsockname()[1]):
        pass
