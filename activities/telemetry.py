"""The SDK's runtime of this process, with its own numbers and log, and everything that a process has to show as one text.

The SDK writes its numbers out itself, at an address on loopback that only this process knows; they are fetched from there when somebody
asks, so that measuring costs Python nothing, and one address a process shows all.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import threading
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import prometheus_client
from prometheus_client import CollectorRegistry
from temporalio.runtime import LogForwardingConfig, LoggingConfig, PrometheusConfig, Runtime, TelemetryConfig, TelemetryFilter

from journey.errors import BadInput, Unavailable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_TRIES = 5
_PATIENCE = 2.0

_log = logging.getLogger("sojourn.telemetry")
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # no types; else each has a second series that nobody reads


@cache
def _started() -> tuple[Runtime, int]:
    """The one runtime of this process and the port of its numbers. Each has threads of its own, so there is one."""
    logs = LogForwardingConfig(logging.getLogger("temporalio.core"), append_target_to_name=False, prepend_target_on_message=False)
    for _ in range(_TRIES):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port: int = found.getsockname()[1]
        numbers = PrometheusConfig(f"127.0.0.1:{port}", counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True)
        logging_to = LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=logs)
        with contextlib.suppress(ValueError):  # somebody took the port meanwhile
            return Runtime(telemetry=TelemetryConfig(logging=logging_to, metrics=numbers)), port
    raise Unavailable("No port on loopback could be had for the numbers of Temporal's SDK.")


def runtime() -> Runtime:
    """The SDK's runtime, for every client of this process."""
    return _started()[0]


def exposition(*more: CollectorRegistry) -> bytes:
    """Everything this process has measured, and the SDK in it, in Prometheus' text format. Takes milliseconds: call it in a thread."""
    registries = (prometheus_client.REGISTRY, *more)
    return b"".join((*map(prometheus_client.generate_latest, registries), _of_the_sdk()))


def _of_the_sdk() -> bytes:
    if not _started.cache_info().currsize:
        return b""
    connection = http.client.HTTPConnection("127.0.0.1", _started()[1], timeout=_PATIENCE)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().lstrip(b"\n")
    except OSError as error:
        _log.warning("The numbers of Temporal's SDK could not be read: %s", error)
        return b""
    finally:
        connection.close()


@contextlib.contextmanager
def served(host: str, port: int) -> Iterator[None]:
    """Serve `/metrics` for a process that has no API, from a thread of its own; port 0 serves nothing. Raises BadInput when the port
    cannot be had."""
    if port == 0:
        yield
        return
    try:
        server = ThreadingHTTPServer((host, port), _Page)
    except OSError as error:
        raise BadInput(f"Nobody can listen at {host}, port {port}: {error.strerror}. See SOJOURN_METRICS_PORT.") from error
    thread = threading.Thread(target=server.serve_forever, name="sojourn-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        body = exposition()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Who asks for numbers is no news."""
