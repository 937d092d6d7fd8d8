"""The figures sent by OTLP, to where the usual `OTEL_*` variables of the environment say. Needs the extra `telemetry`."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from reconcile.metrics.catalogue import METRICS, PREFIX, Metric
from reconcile.metrics.reading import Point

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader

SERVICE_NAME: Final = "reconcile"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SAME_COLLECTION_SECONDS: Final = 1.0
"""One collection asks every instrument in turn: they answer from one reading."""

Read = Callable[[], Sequence[Point]]


class TelemetryError(RuntimeError):
    """The environment asks for metrics that cannot be sent; the message says why."""


def wanted() -> bool:
    """Whether the environment names a place to send metrics to, and does not switch them off."""
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    exporter = os.environ.get("OTEL_METRICS_EXPORTER", "otlp")
    return not disabled and exporter == "otlp" and any(os.environ.get(name) for name in _ENDPOINTS)


def provider(read: Read) -> "MeterProvider":
    """What sends all figures from now on, every `OTEL_METRIC_EXPORT_INTERVAL` milliseconds, and when it is shut down.

    Raises `TelemetryError` where the extra is missing or the environment asks for another protocol than HTTP.
    """
    exporter = _exporter()
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    return observed(read, PeriodicExportingMetricReader(exporter))


def push(points: Sequence[Point]) -> None:
    """Sends these figures once. Raises `TelemetryError`, also when nobody takes them."""
    exporter = _exporter()
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult

    reader = InMemoryMetricReader()
    meters = observed(lambda: points, reader)
    try:
        figures = reader.get_metrics_data()
        if figures is not None and exporter.export(figures) is not MetricExportResult.SUCCESS:
            raise TelemetryError("nobody took the metrics at the place that $OTEL_EXPORTER_OTLP_ENDPOINT names")
    finally:
        meters.shutdown()
        exporter.shutdown()


def _exporter() -> "OTLPMetricExporter":
    protocol = next((os.environ[name] for name in _PROTOCOLS if os.environ.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        raise TelemetryError(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}: metrics are sent by http/protobuf")
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    except ImportError as error:
        raise TelemetryError('metrics by OTLP need more: pip install "reconcile[telemetry]"') from error
    return OTLPMetricExporter()


def observed(read: Read, reader: "MetricReader") -> "MeterProvider":
    """One instrument for each metric, which `reader` collects."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    named = OTELResourceDetector().detect()
    resource = Resource.create({"service.name": SERVICE_NAME} | dict(named.attributes))
    # Not the process's global provider: that belongs to whoever runs us, such as Airflow.
    meters = MeterProvider([reader], resource=resource)
    meter = meters.get_meter(SERVICE_NAME)
    shared = _Shared(read)
    for name in dict.fromkeys(metric.name for metric in METRICS):
        same = [metric for metric in METRICS if metric.name == name]
        create = meter.create_observable_counter if same[0].kind == "counter" else meter.create_observable_gauge
        create(f"{PREFIX}{name}", [_callback(shared, same)], unit=same[0].unit, description=same[0].description)
    return meters


def _callback(shared: "_Shared", metrics: Sequence[Metric]) -> Callable[[Any], Iterable[Any]]:
    from opentelemetry.metrics import Observation

    def observe(_: Any) -> list[Observation]:
        return [
            Observation(point.value, dict(point.attributes)) for point in shared.points() if point.metric in metrics
        ]

    return observe


class _Shared:
    """One reading for all instruments of a collection. A reading that fails is tried again at the next collection."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._points: Sequence[Point] = ()
        self._read_at: float | None = None

    def points(self) -> Sequence[Point]:
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at > _SAME_COLLECTION_SECONDS:
                self._points, self._read_at = (), time.monotonic()
                self._points = self._read()
            return self._points
