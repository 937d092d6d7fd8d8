"""`python -m reconcile.sandbox serve --home DIR --seed 1`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from reconcile.sandbox.process import StartError, serve
from reconcile.sandbox.settings import Ports, Settings, read_secrets

EXIT_CANNOT_START: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 after a clean stop, 2 when the sandbox cannot start."""
    given = _parser().parse_args(arguments)
    try:
        settings = Settings(
            home=given.home,
            seed=given.seed,
            purchases=given.purchases,
            has_faults=given.faults == "low",
            ports=Ports(given.control_port, given.gsma_port, given.smpp_port, given.smtp_port),
            secrets=read_secrets(os.environ),
        )
        serve(settings)
    except (ValueError, StartError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return EXIT_CANNOT_START
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reconcile.sandbox", description="A simulated mobile operator.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("serve", help="serve until SIGTERM or Ctrl-C")
    command.add_argument("--home", type=Path, required=True, help="folder for clock, feed files and state")
    command.add_argument("--seed", type=int, required=True, help="the same seed makes the same world")
    command.add_argument("--purchases", type=int, default=20_000, help="how many on the day (default: %(default)s)")
    command.add_argument("--faults", choices=("low", "off"), default="low", help="to begin with (default: %(default)s)")
    for name, port in (("control", 8091), ("gsma", 8090), ("smpp", 2775), ("smtp", 8025)):
        command.add_argument(f"--{name}-port", type=int, default=port, help="0 takes a free one (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
