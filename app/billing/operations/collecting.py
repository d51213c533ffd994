"""A debtor is called: by hand, from the list of debtors, into the tasks of the day."""

from dataclasses import dataclass

from app import access, clock, money
from app.billing import queries
from app.errors import NothingOwed
from app.models import CallTask, User
from app.tasks import operations as tasks
from app.tasks import queries as asked
from app.vocab import TaskReasonKind


@dataclass(frozen=True)
class AskedToPay:
    """The task that a debtor is called by. `joined`: it was there already; `known`: and for the debt."""

    task: CallTask
    joined: bool
    known: bool


def ask_to_pay(patient_id: int, *, actor: User | None) -> AskedToPay | None:
    """Let a debtor be called today; None when the clinic does without call tasks, or the card is archived.

    A task that the patient has already is joined; who was asked to be called about the debt before is called when that
    task says.

    Raises:
        NotAllowed
        NothingOwed: the debt was paid meanwhile.
    """
    access.require(actor, "task.work")
    debt = queries.balance_of(patient_id).debt
    if not debt:
        raise NothingOwed()
    before = asked.open_kinds(patient_id)
    task = tasks.ask(
        patient_id, TaskReasonKind.DEBT, due_on=clock.today(), note=f"{money.shown(debt)} ₽", actor=actor
    )  # fmt: skip
    return AskedToPay(task, bool(before), TaskReasonKind.DEBT in before) if task else None
