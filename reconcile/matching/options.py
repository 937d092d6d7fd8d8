from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PassOptions:
    """What a flow may declare beyond its rules.

    `references_unrelated`: the two sides number their rows each in its own way, so that two references that differ do not
    name two purchases. `fee_minor`, `fee_basis_points`: what a credit may fall short of its confirmation under the same
    reference, in minor units or in hundredths of a per cent of the amount, whichever is more.
    """

    references_unrelated: bool = False
    fee_minor: int = 0
    fee_basis_points: int = 0


DEFAULT_OPTIONS: Final = PassOptions()
