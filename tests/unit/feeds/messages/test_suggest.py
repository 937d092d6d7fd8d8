import random
import tomllib
from pathlib import Path

from reconcile.feeds.messages import Catalogue, Message
from reconcile.feeds.messages.examples import failures
from reconcile.feeds.messages.lines import read_line
from reconcile.feeds.messages.suggest import rendered, suggest
from reconcile.feeds.messages.template import Template

GOLDEN = Path(__file__).parents[3] / "golden" / "messages"
CHANCE = random.Random(7)
NAMES = ["Awa Kone", "Jean-Paul N'Guessan", "MOUSSA", "Chez Lea (Cocody)", "K. Yao"]


def airtime(number: int) -> Message:
    text = (
        f"NovaPay: achat de credit de {CHANCE.randrange(100, 90_000):,} F pour {CHANCE.choice(NAMES)} 07{number:08} "
        f"valide le 12/08/2024 a 10:{number % 60:02}. Frais: 25 F. Solde: {CHANCE.randrange(10**6):,} F. Ref: NP{number:06}X"
    )
    return Message(str(number), text, "NovaPay", "CI")


def bill(number: int) -> Message:
    text = f"NovaPay: facture {number:07} payee, {CHANCE.randrange(100, 9_000)} F. Ref: NP{number:06}Y. Merci !"
    return Message(f"b{number}", text, "NovaPay", "CI")


def test_a_file_of_mixed_messages_becomes_the_templates_of_the_golden_file() -> None:
    lines = (GOLDEN / "suggest.jsonl").read_bytes().splitlines()
    messages = [read_line(line, number) for number, line in enumerate(lines, start=1)]

    assert rendered(suggest(messages, Catalogue.load())) == (GOLDEN / "suggest.toml").read_text("utf-8")
    assert failures(Catalogue.load([GOLDEN / "suggest.toml"])) == []


def test_of_two_shapes_that_one_pattern_reads_one_is_suggested() -> None:
    texts = [
        f"NovaPay: {way} recu {number}00 F de 0707{number:06}. Ref NP{number}A"
        for number in range(4)
        for way in ("", "x")
    ]
    suggestions = suggest([Message(text, text, None, "CI") for text in texts], Catalogue.load(), least=2)

    catalogue = Catalogue(Template.compile(suggestion.row) for suggestion in suggestions)
    assert failures(catalogue) == []


def test_messages_of_one_shape_become_one_template_that_reads_them() -> None:
    messages = [airtime(number) for number in range(40)]

    (suggestion,) = suggest([*messages, bill(1)], Catalogue.load())

    assert suggestion.messages == 40
    assert (suggestion.row.kind, suggestion.row.outcome, suggestion.row.language) == ("airtime", "success", "fr")
    for slot in ("{amount}", "{account}", "{time}", "{fee}", "{balance}", "{reference}"):
        assert slot in suggestion.row.pattern


def test_what_is_written_for_review_is_a_template_file_that_passes_its_examples(tmp_path: Path) -> None:
    messages = [message for number in range(9) for message in (airtime(number), bill(number))]
    file = tmp_path / "suggested.toml"

    file.write_text(rendered(suggest(messages, Catalogue.load())), "utf-8")

    assert len(tomllib.loads(file.read_text("utf-8"))["template"]) == 2
    catalogue = Catalogue.load([file])
    assert failures(catalogue) == []
    assert {catalogue.read(message).confidence for message in messages} == {"high"}


def test_what_is_rare_or_known_or_no_transaction_is_not_suggested() -> None:
    known = "You have bought 250 FCFA of airtime. New balance: 90 FCFA. Trans ID: RC240811.0702.D00411"
    messages = [Message("1", known, country="CM")] * 9 + [Message("2", "Votre code est 4821")] * 9 + [bill(1), bill(2)]

    assert suggest(messages, Catalogue.load()) == []


def test_an_example_that_is_read_otherwise_is_told() -> None:
    catalogue = Catalogue.load()
    template = catalogue.templates[0]
    example = template.row.examples[0].model_copy(update={"amount": "1", "fee": "2"})
    wrong = template.row.model_copy(update={"examples": (example, template.row.examples[1])})

    (first, second) = failures(Catalogue([type(template).compile(wrong)]))

    assert first.startswith(f"{template.name}, example 1: amount is 1 but was read as ")
    assert second.startswith(f"{template.name}, example 1: fee is 2 but was read as ")
