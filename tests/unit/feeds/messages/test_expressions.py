import pytest
import re2

from reconcile.feeds.messages import Catalogue
from reconcile.feeds.messages.expressions import Expression, ExpressionError
from reconcile.feeds.messages.markup import is_markup, text_of
from reconcile.feeds.messages.text import fold

CATALOGUE = Catalogue.load()


def test_matches_are_those_of_the_public_interface_of_re2() -> None:
    for template in CATALOGUE.templates:
        public = re2.compile(f"(?is){template.source}".encode())
        for example in template.row.examples:
            text = text_of(example.text) if is_markup(example.text) else example.text
            data = fold(text).encode()
            match = public.fullmatch(data)

            assert match is not None
            assert template.expression.full(data) == [match.span(number) for number in range(public.groups + 1)]


def test_no_match_is_none() -> None:
    expression = Expression("solde (?P<balance>[0-9]+)")

    assert expression.full(b"solde 5 F") is None
    assert expression.search(b"sold 5") is None
    assert expression.search(b"ton Solde 55.") == [(4, 12), (10, 12)]
    assert expression.groups == {"balance": 1}


def test_a_bad_expression_is_refused() -> None:
    with pytest.raises(ExpressionError, match="missing"):
        Expression("(")
