"""A delivery that cannot be taken as it is."""


class Refused(Exception):  # noqa: N818 - what happens to a delivery; the program is not in error
    """Says why, and where known in which row (the line on which it begins) and in which column. The name of the file is
    added where the refusal is recorded. No value of a row is ever part of it. `broken`: expectations of the delivery.
    """

    def __init__(
        self, reason: str, *, row: int | None = None, column: str | None = None, broken: tuple[str, ...] = ()
    ) -> None:
        place = [f"row {row}"] if row is not None else []
        if column is not None:
            place.append(f"column {column}")
        self.broken = broken
        super().__init__(f"{', '.join(place)}: {reason}" if place else reason)
