"""The story of a run over the ledger as REST shows it."""

from cli.ledger import LedgerEntry
from shared import story
from shared.story import SymbolStory, tell

Story = story.Story[LedgerEntry]

__all__ = ["Story", "SymbolStory", "tell"]
