"""The figures an operator watches. Labels are kinds and states, never anything of a patient."""

from prometheus_client import Counter, Gauge, Histogram

from schemas.delivery import Delivery, Receipt

DELIVERIES = Counter(
    "dxhub_deliveries_total", "Deliveries taken into custody, by what became of them", ("format", "channel", "state")
)
INGEST_SECONDS = Histogram(
    "dxhub_ingest_duration_seconds",
    "From the first byte read to the promise made",
    ("format",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120),
)
WAITING = Gauge("dxhub_waiting", "What waits for somebody: outbox entries, held and quarantined deliveries", ("what",))
DISPATCHES = Counter("dxhub_dispatches_total", "Attempts to send a report on, by what came of them", ("outcome",))
NOTICES = Counter("dxhub_notices_total", "Notices to those who relied on what changed")
HTTP_REQUESTS = Counter("dxhub_http_requests_total", "HTTP requests answered", ("route", "method", "status"))
HTTP_SECONDS = Histogram("dxhub_http_request_duration_seconds", "Until the last byte of the answer", ("route",))

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_delivery(receipt: Receipt, taken: Delivery, took_s: float) -> None:
    """Counts a delivery for which a receipt was given."""
    count(taken.format.value, taken.origin.channel.value, receipt.state.value, took_s)


def count(kind: str, channel: str, state: str, took_s: float) -> None:
    """Counts a delivery of that format, channel and state."""
    DELIVERIES.labels(kind, channel, state).inc()
    INGEST_SECONDS.labels(kind).observe(took_s)


def count_dispatch(outcome: str) -> None:
    """Counts an attempt to send a report on: delivered, dead or put-off."""
    DISPATCHES.labels(outcome).inc()


def count_notices(number: int) -> None:
    """Counts notices that were raised."""
    NOTICES.inc(number)


def count_http_request(route: str, method: str, status: int, took_s: float) -> None:
    """Counts a request. route: the template, not the path; status 0 where the peer left before an answer."""
    # Anybody may invent a method; each would be a series of its own.
    HTTP_REQUESTS.labels(route, method if method in _METHODS else "other", str(status)).inc()
    HTTP_SECONDS.labels(route).observe(took_s)
