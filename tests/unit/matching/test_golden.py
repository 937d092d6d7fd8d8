from pathlib import Path

import pytest

from reconcile.matching import passes

GOLDEN = Path(__file__).parents[2] / "golden" / "matching"
STORIES = sorted(GOLDEN.glob("*.txt"))


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
def test_a_story_ends_as_it_is_written(file: Path, story) -> None:
    text = file.read_text(encoding="utf-8")
    assert story.play(text) == text


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
def test_a_story_of_more_rows_than_are_held_in_memory_ends_as_it_is_written(
    file: Path, story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "HELD_ROWS", -1)
    text = file.read_text(encoding="utf-8")
    assert story.play(text) == text
