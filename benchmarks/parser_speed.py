"""How fast messages are read: processor time a line, where it goes, all cores together, and the slowest text found.

Usage: python benchmarks/parser_speed.py [--lines 100000] [--processes N] [--parallel]

The lines are the worked examples of the templates with other digits in them, and amounts of other lengths, so that no cache
knows their figures. Figures
of other processes on the machine disturb wall time; the medians of small pieces hardly suffer.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from reconcile.feeds.messages import Catalogue, Message
from reconcile.feeds.messages.extractor import extract
from reconcile.feeds.messages.lines import parse_stream, read_line, write_line
from reconcile.feeds.messages.markup import MAX_MARKUP_CHARACTERS
from reconcile.feeds.messages.text import MAX_TEXT_CHARACTERS, fold
from reconcile.feeds.messages.vocabulary import vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PIECE = 500
STAGE_LINES = 20_000
OPERATOR = "orange"
ADVERTISEMENT = "Profitez de 100% de bonus sur vos recharges de plus de 1000 FCFA, jusqu'a dimanche. Tapez #144#."
REPEATED = [
    "1 ", "9" * 50, "1.", "1,000 ", "a", "frais ", "solde de ", ": ", "FCFA ", "vous avez recu ", "*1", "(", "\n", "é", "مبلغ ",
    "<p></p>", "<!--", "&amp;<br>", "12:30 ", "12/12/24 ", "RC240709.1345.A00011 ", "http://", "Votre paiement de 5 F a ",
    "Dear ", "Operation Achat de credit Montant 5 F ", "A1_", "a_", "xx", "jan ", "0x", "1-", "1/", ". ", "Ref A1B2C3 ",
]  # fmt: skip


def lines_of(catalogue: Catalogue, count: int, operator: str = "") -> list[bytes]:
    """Messages of the built-in formats whose name begins so, with other figures."""
    chance = random.Random(1)
    chosen = [template for template in catalogue.templates if template.name.startswith(operator)]
    examples = [example for template in chosen for example in template.row.examples]

    def other(match: re.Match[str]) -> str:
        digits = match.group()
        kept = 1 if len(digits) < 7 else 5  # of a phone number the operator's prefix
        return (
            digits[:kept] + "".join(chance.choice("0123456789") for _ in digits[kept:]) if len(digits) > 2 else digits
        )

    def longer_or_shorter(_: re.Match[str]) -> str:
        return str(chance.randrange(100, 10 ** chance.randrange(3, 7)))

    found = []
    for number in range(count):
        example = chance.choice(examples)
        text = re.sub(r"(?<=[^0-9] )[0-9]{3,6}(?= [^0-9])", longer_or_shorter, re.sub(r"[0-9]+", other, example.text))
        row = {"id": f"m{number}", "text": text, "country": example.country}
        found.append(json.dumps({**row, "received_at": "2025-07-13T10:00:00Z"}).encode() + b"\n")
    return found


def timed(work: Callable[[Any], Any], things: Iterable[Any]) -> tuple[float, list[Any]]:
    """Microseconds for one, as the median over pieces, and what came out."""
    things = list(things)
    results, piece_micros = [], []
    for at in range(0, len(things), PIECE):
        piece = things[at : at + PIECE]
        before = time.thread_time()
        results += [work(thing) for thing in piece]
        piece_micros.append((time.thread_time() - before) / len(piece) * 1e6)
    return median(piece_micros), results


def stages(catalogue: Catalogue, lines: list[bytes], formats: str) -> None:
    general = Catalogue(())
    json_in, messages = timed(lambda line: read_line(line, 1), lines)
    folding, folded = timed(lambda message: fold(message.text), messages)
    choosing, _ = timed(lambda text: catalogue.fitting(text.encode()), folded)
    reading, readings = timed(catalogue.read, messages)
    json_out, _ = timed(lambda pair: write_line(*pair), zip(messages, readings, strict=True))
    by_general, _ = timed(general.read, messages)
    extract.cache_clear()
    advertisements = [Message(str(number), ADVERTISEMENT, country="CI") for number in range(5 * PIECE)]
    by_memory, _ = timed(catalogue.read, advertisements)
    fit = sum(reading.confidence == "high" for reading in readings) / len(readings)
    print(f"{formats}: {fit:.0%} of the lines are read by a template; µs of processor time a line, on one core:")
    for name, micros in (
        ("JSON in", json_in),
        ("folding", folding),
        ("choosing the template, all at once", choosing),
        ("folding, choosing, reading", reading),
        ("JSON out, phone numbers", json_out),
        ("in all", json_in + reading + json_out),
        ("the general reader, where no template fits", by_general),
        ("an advertisement that went to thousands", by_memory),
    ):
        print(f"  {name:44}{micros:8.1f}")


def together(lines: list[bytes], processes: int) -> None:
    sink = io.StringIO()
    before = time.monotonic()
    count = parse_stream(io.BytesIO(b"".join(lines)), sink, processes=processes)
    seconds = time.monotonic() - before
    print(
        f"{count} lines by {processes} processes in {seconds:.1f} s, starting them included: {count / seconds:,.0f} a second"
    )


def worst(catalogue: Catalogue, seed: int, random_texts: int) -> None:
    """Repetitions and random mixtures of what messages are made of, each as long as is read at all."""
    chance = random.Random(seed)
    fragments = [*REPEATED, *vocabulary().phrases, *(e.text for t in catalogue.templates for e in t.row.examples)]
    texts = [(repr(piece), (piece * length)[:length]) for piece in REPEATED for length in _LENGTHS]
    for number in range(random_texts):
        pieces = [chance.choice(fragments) for _ in range(chance.choice((3, 30, 400)))]
        texts.append((f"mixture {number}", "".join(pieces)[: chance.choice(_LENGTHS)]))
    found = []
    catalogue.read(Message("1", "مبلغ"))  # builds the automaton of the other scripts
    for name, text in texts:
        before = time.thread_time()
        catalogue.read(Message("1", text, country="CI"))
        found.append(((time.thread_time() - before) * 1e3, name, len(text)))
    print(f"slowest of {len(found)} hostile texts, in ms of processor time:")
    for millis, name, length in sorted(found, reverse=True)[:5]:
        print(f"  {millis:6.1f}  {length:6} characters  {name}")


_LENGTHS = (2_000, MAX_TEXT_CHARACTERS, MAX_MARKUP_CHARACTERS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--parallel", action="store_true", help="measure all processes together as well")
    parser.add_argument("--hostile", type=int, default=1_000, help="how many random hostile texts")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    catalogue = Catalogue.load()
    lines = lines_of(catalogue, arguments.lines)
    stages(catalogue, lines_of(catalogue, STAGE_LINES, OPERATOR), f"messages of one operator ({OPERATOR})")
    stages(catalogue, lines[:STAGE_LINES], "all formats in turn, which no feed is")
    if arguments.parallel:
        together(lines, arguments.processes)
    worst(catalogue, arguments.seed, arguments.hostile)


if __name__ == "__main__":
    main()
