"""Who is in the card index, and what is known of them: one question, one function, few statements.

Where next: `search.py` for finding a card, `selection.py` for many by conditions, `cards.py` for what is known of it,
`figures.py` for its visits and money, `merges.py` for all that belongs to it, `health.py` for questionnaires and the
medical card, `twins.py` for who may be the same person, `accounts.py` for the lock of a patient's money.
"""

from app.patients.queries.accounts import LOCKED_ACCOUNT, lock_account, lock_accounts
from app.patients.queries.cards import (
    balance_of,
    consents,
    doctors,
    family,
    identity_of,
    named,
    sources,
    tags,
    treated_by,
)
from app.patients.queries.erasing import (
    cards_of,
    counts,
    erasure_of,
    last_days,
    money_of,
    reach,
    rows_of,
    unfinished,
    visits_to_come,
)
from app.patients.queries.exporting import Paper, content_of, papers, told
from app.patients.queries.figures import Glance, glance_at, glanced, latest_of, statistics, with_latest
from app.patients.queries.health import (
    Lacking,
    Written,
    correction_of,
    diary_of,
    lacking,
    medical_record,
    newest_survey,
    records_of,
    survey_is_old,
    surveys_of,
)
from app.patients.queries.importing import (
    appeared_meanwhile,
    card_imports,
    cells_of,
    compare,
    import_counts,
    import_directories,
    import_rows,
    left_imports,
)
from app.patients.queries.merges import belongings, key_of, merges_of, openings_of, references
from app.patients.queries.openings import (
    Looked,
    looked_by_card,
    looked_by_day,
    looked_one_by_one,
    lookers,
    taken_away,
)
from app.patients.queries.parting import follows
from app.patients.queries.search import Found, archived_of_number, find, matching, of_doctor, rows
from app.patients.queries.selection import Selection, select_cards, selections, service_names
from app.patients.queries.twins import possible_duplicates

__all__ = [
    "LOCKED_ACCOUNT", "Found", "Glance", "Lacking", "Looked", "Paper", "Selection", "Written", "appeared_meanwhile",
    "archived_of_number", "balance_of", "belongings", "card_imports", "cards_of", "cells_of", "compare", "consents",
    "content_of", "correction_of", "counts", "diary_of", "doctors", "erasure_of", "family", "find", "follows",
    "glance_at", "glanced", "identity_of", "import_counts", "import_directories", "import_rows", "key_of",
    "lacking", "last_days", "latest_of", "left_imports", "lock_account", "lock_accounts", "looked_by_card",
    "looked_by_day", "looked_one_by_one", "lookers", "matching", "medical_record", "merges_of", "money_of", "named",
    "newest_survey", "of_doctor", "openings_of", "papers", "possible_duplicates", "reach", "records_of",
    "references", "rows", "rows_of", "select_cards", "selections", "service_names", "sources", "statistics",
    "survey_is_old", "surveys_of", "tags", "taken_away", "told", "treated_by", "unfinished", "visits_to_come",
    "with_latest",
]  # fmt: skip
