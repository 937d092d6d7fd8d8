from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Engine:
    """What DuckDB may use. None leaves it DuckDB's default: all cores, four fifths of the memory."""

    threads: int | None = None
    memory_limit: str | None = None


DEFAULT_ENGINE = Engine()
