"""The lock of a patient's money, for whoever moves it, and for whoever merges, parts or empties cards."""

from collections.abc import Callable, Iterable

from sqlalchemy import text

from app.db import Busy, Fixed

#: The lock of a patient's money: the account, and a word in its place while there is none, for the first entry of the
#: ledger opens it. Without the word the first payment would come to the account last, holding the desk that whoever has
#: locked the account since is waiting for. Who had to take the word asks again: it may have been opened meanwhile.
LOCKED_ACCOUNT = """account AS MATERIALIZED (
        SELECT debt, advance FROM patient_account WHERE patient_id = :patient FOR UPDATE
    ), word AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(hashtextextended('account ' || CAST(:patient AS bigint), 0))
        WHERE NOT EXISTS (SELECT FROM account)
    )"""
_LOCK = Fixed(text(f"WITH {LOCKED_ACCOUNT} SELECT (SELECT count(*) FROM word) AS missing"))


def lock_account(*patient_ids: int) -> None:
    """One payment, refund or bill of a patient at a time; of several patients by number, as everybody does."""
    for patient_id in sorted(set(patient_ids)):
        if _LOCK(patient=patient_id).one().missing:
            _LOCK(patient=patient_id)


def lock_accounts(whose: Callable[[], Iterable[int]]) -> None:
    """Lock the accounts of all patients that `whose` names.

    Raises:
        Busy: it names another by now: the card was merged while it was waited for, and its money is another's.
    """
    lock_account(*(held := set(whose())))
    if set(whose()) - held:
        raise Busy()
