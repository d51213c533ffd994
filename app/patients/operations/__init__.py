"""Changes of the card index; one module per subject. Flush, never commit.

Where next: `cards.py` (a card, its edit, the archive), `families.py` (who belongs together, who pays), `consents.py`,
`merges.py` (two cards of one person), `erasing.py` (a card emptied on the patient's demand), `importing.py` (an old
card index from a file), `surveys.py` and `medical.py` (health).
"""

from app.patients.operations.cards import (
    FIELDS,
    archive_card,
    check_open,
    check_there,
    create_card,
    edit_card,
    locked_card,
    plain,
    plain_row,
    restore_card,
)
from app.patients.operations.consents import give_consent, withdraw_consent
from app.patients.operations.erasing import erase_card, obstacles
from app.patients.operations.families import join_family, leave_family, set_payer
from app.patients.operations.importing import apply_import, say_columns, take_file, throw_away
from app.patients.operations.looking import look_at, look_at_all, note_opening, note_seen
from app.patients.operations.medical import save_record, write_diary
from app.patients.operations.merges import merge_cards, part_cards
from app.patients.operations.selections import forget_selection, keep_selection
from app.patients.operations.surveys import add_survey

__all__ = [
    "FIELDS", "add_survey", "apply_import", "archive_card", "check_open", "check_there", "create_card", "edit_card",
    "erase_card", "forget_selection", "give_consent", "join_family", "keep_selection", "leave_family",
    "locked_card", "look_at", "look_at_all", "merge_cards", "note_opening", "note_seen", "obstacles", "part_cards",
    "plain", "plain_row", "restore_card", "save_record", "say_columns", "set_payer", "take_file", "throw_away",
    "withdraw_consent", "write_diary",
]  # fmt: skip
