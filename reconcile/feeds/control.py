"""The control file beside a data file: written last, it says what was delivered and up to when nothing is missing."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from reconcile.feeds.refusal import Refused


def _exact(text: str) -> str:
    if not Decimal(text).is_finite():
        raise ValueError("a sum must be finite")
    return text


class Control(BaseModel):
    """`sum`: of the amounts that can be read, as they stand in the file, in major units. What else stands in it is ignored."""

    model_config = ConfigDict(frozen=True, strict=True)

    file: str
    rows: Annotated[int, Field(ge=0)]
    complete_through: Annotated[
        AwareDatetime, Field(strict=False), AfterValidator(lambda instant: instant.astimezone(UTC))
    ]
    sum: Annotated[str, Field(pattern=r"^[+-]?[0-9]{1,30}(\.[0-9]{1,9})?$"), AfterValidator(_exact)] | None = None

    @property
    def total(self) -> Decimal | None:
        return None if self.sum is None else Decimal(self.sum)


def read_control(content: bytes, data_file: str) -> Control:
    """Raises `Refused` for a control file that says nothing usable, or speaks of another data file."""
    try:
        control = Control.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"]) or "its content"
        raise Refused(f"the control file cannot be used: {key}: {problem['msg']}") from error
    if control.file != data_file:
        raise Refused(f"the control file speaks of {control.file!r}")
    return control


def complete_through(content: bytes | None) -> datetime | None:
    """What a control file says about time, or None where it does not say it."""
    try:
        return None if content is None else Control.model_validate_json(content).complete_through
    except ValidationError:
        return None
