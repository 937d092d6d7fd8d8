"""The templates of the reports; the desk shows some of their pieces as well."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
