"""What a browser or a program may send to the list of calls; page and JSON are checked by the same schemas."""

from marshmallow import fields

from app.schemas import Body, DayField, IdField, PageQuery, Query, TextField, WallTimeField, WholeField, one_of
from app.tasks import rules
from app.vocab import N_, TaskReasonKind

_LONG = 2000
_VERSION = (1, 2**31 - 1)
WHEN = ("overdue", "today", "later", "closed")


class _Truth(fields.Boolean):
    default_error_messages = {"invalid": N_("Unknown value.")}


class ListQuery(PageQuery):
    """Which of those to be called; without a word: all open tasks, the most urgent first."""

    when = one_of(WHEN, load_default="")
    kind = one_of(TaskReasonKind, load_default=None)
    doctor_id = IdField(load_default=None)
    mine = _Truth(load_default=False)
    q = TextField(100, load_default="")


class ReportQuery(Query):
    first = DayField(data_key="from", load_default=None)
    last = DayField(data_key="to", load_default=None)
    format = one_of(("csv",), load_default=None)


class NewTask(Body):
    patient_id = IdField(required=True)
    due_on = DayField(load_default=None, allow_none=True)
    note = TextField(_LONG, blank=False, required=True)
    kind = one_of(rules.BY_PEOPLE, load_default=TaskReasonKind.BY_HAND)
    doctor_id = IdField(load_default=None, allow_none=True)
    responsible_id = IdField(load_default=None, allow_none=True)


class NotReached(Body):
    """`until` only when the rule no longer says when to try again, or the desk knows better."""

    version = WholeField(*_VERSION, load_default=None, allow_none=True)
    until = WallTimeField(load_default=None, allow_none=True)
    phone = TextField(20, load_default="")
    comment = TextField(_LONG, load_default="")


class Postponing(NotReached):
    """`asked`: the patient was reached and asked to be called then."""

    until = WallTimeField(required=True)
    asked = _Truth(load_default=False)


class Closing(Body):
    version = WholeField(*_VERSION, required=True)
    result = one_of(rules.RESULTS, required=True)
    refusal_reason_id = IdField(load_default=None, allow_none=True)
    phone = TextField(20, load_default="")
    comment = TextField(_LONG, load_default="")


class Changing(Body):
    version = WholeField(*_VERSION, required=True)
    comment = TextField(_LONG)
    responsible_id = IdField(allow_none=True)


class Nothing(Body):
    """A claim needs no more than its address."""
