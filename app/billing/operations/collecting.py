"""A debtor is called: by hand, from the list of debtors, into the tasks of the day."""

from app import access, clock, money
from app.billing import queries
from app.errors import NothingOwed
from app.models import CallTask, User
from app.tasks import operations as tasks
from app.vocab import TaskReasonKind


def ask_to_pay(patient_id: int, *, actor: User | None) -> CallTask | None:
    """Let a debtor be called today; None when the clinic does without call tasks, or the card is archived.

    Raises:
        NotAllowed
        NothingOwed: the debt was paid meanwhile.
    """
    access.require(actor, "task.work")
    debt = queries.balance_of(patient_id).debt
    if not debt:
        raise NothingOwed()
    return tasks.ask(
        patient_id, TaskReasonKind.DEBT, due_on=clock.today(), note=f"{money.shown(debt)} ₽", actor=actor
    )  # fmt: skip
