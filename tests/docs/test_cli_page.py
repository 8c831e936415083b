"""docs/cli.md is what the commands say of themselves."""

from pathlib import Path

from mmm_assets.cli.app import COMMANDS
from mmm_assets.cli.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_made_from_the_commands():
    """`make docs-cli` writes it again."""
    assert PAGE.read_text() == reference()


def test_every_command_has_its_section():
    """With its help; nothing is left out."""
    headings = [line for line in PAGE.read_text().splitlines() if line.startswith("## ")]
    assert headings == [f"## mmm {name}" for name in COMMANDS]
