from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "golden" / "matching"
STORIES = sorted(GOLDEN.glob("*.txt"))


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
def test_a_story_ends_as_it_is_written(file: Path, story) -> None:
    text = file.read_text(encoding="utf-8")
    assert story.play(text) == text
