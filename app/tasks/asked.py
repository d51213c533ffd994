"""What this account asks of the list of calls: the same for the page and for JSON."""

from typing import Any

from app import access, clock
from app.errors import NotAllowed
from app.models import CallTask
from app.patients import queries as patients
from app.tasks import operations, queries
from app.vocab import TaskReasonKind
from app.web import actor


def wanted(query: dict[str, Any]) -> queries.Wanted:
    """Which tasks the query asks for."""
    me = access.account(actor())
    return queries.Wanted(
        when=query["when"], kind=query["kind"], doctor_id=query["doctor_id"], q=query["q"],
        mine=(me.employee_id, me.user_id) if query["mine"] else None,
    )  # fmt: skip


def add_task(body: dict[str, Any]) -> CallTask:
    """Ask for a call; a doctor asks for own patients, and it is the doctor's request.

    Raises:
        NotAllowed: somebody else's patient.
        Invalid
    """
    own = access.account(actor()).own_only("task.add")
    if own is not None:
        if not patients.treated_by(body["patient_id"], own):
            raise NotAllowed(right="task.add")
        body |= {"kind": TaskReasonKind.DOCTOR_REQUEST, "doctor_id": own, "responsible_id": None}
    body["due_on"] = body["due_on"] or clock.today()
    return operations.add(body.pop("patient_id"), **body, actor=actor())
