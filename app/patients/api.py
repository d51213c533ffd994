"""Patients over JSON: search, a new card, a card, its statistics and balance.

The contract is word for word in the API's description. Where next: `operations.py`.
"""

from typing import Any

from marshmallow import fields

from app import access
from app.db import transaction
from app.errors import NotFound
from app.patients import operations, queries, rules
from app.patients.reach import require_reach, visible
from app.schemas import Body, DayField, IdField, PageQuery, TextField, WholeField, listed, one_of
from app.vocab import N_, IdentityType, Sex
from app.web import DeskApi, actor, asks, expose, guarded, takes


class SearchQuery(PageQuery):
    q = TextField(100, load_default="")
    #: Also the archived card whose number was typed: for who looks for a card, not for whom to book.
    archived_number = fields.Boolean(load_default=False, error_messages={"invalid": N_("Unknown value.")})


class CardBody(Body):
    surname = TextField(100, required=True, blank=False)
    name = TextField(100, required=True, blank=False)
    patronymic = TextField(100)
    birth_date = DayField(allow_none=True)
    sex = one_of(Sex, allow_none=True)
    phone = TextField(40)
    source_id = IdField(allow_none=True)
    comment = TextField(2000)


class PhoneBody(Body):
    number = TextField(40, required=True, blank=False)
    owner = TextField(100, load_default="")
    for_sms = fields.Boolean(load_default=True, error_messages={"invalid": N_("Unknown value.")})


class CardChangeBody(Body):
    version = WholeField(1, 2**31 - 1, required=True)
    surname = TextField(100, blank=False)
    name = TextField(100, blank=False)
    patronymic = TextField(100)
    name_genitive = TextField(300)
    name_dative = TextField(300)
    birth_date = DayField(allow_none=True)
    sex = one_of(Sex, allow_none=True)
    phone = TextField(40)
    email = TextField(200)
    address = TextField(500)
    passport = TextField(500)
    identity_type = one_of(IdentityType, allow_none=True)
    identity_series = TextField(20)
    identity_number = TextField(30)
    identity_issued_by = TextField(300)
    identity_issued_on = DayField(allow_none=True)
    identity_dept_code = TextField(7)
    identity_text = TextField(500)
    snils = TextField(14)
    inn = TextField(12)
    phones = listed(PhoneBody, rules.MOST_PHONES)
    insurance = TextField(200)
    guardian_id = IdField(allow_none=True)
    doctor_id = IdField(allow_none=True)
    allergy = TextField(500)
    source_id = IdField(allow_none=True)
    comment = TextField(2000)


class PatientApi(DeskApi):
    """`/api/v1/patients/`."""

    resource_name = "patients"
    openapi_spec_tag = "Patients"

    @expose("/", methods=["GET"])
    @guarded("card.see")
    @asks(SearchQuery)
    def search(self, query: dict[str, Any]) -> Any:
        """Find patients by name parts, phone tail or card number"""
        size = query["page_size"]
        own = access.account(actor()).own_only("card.see")
        count, found = queries.find(query["q"], limit=size, offset=query["page"] * size, doctor_id=own)
        if query["archived_number"] and not query["page"] and (closed := queries.archived_of_number(query["q"], own)):
            count, found = count + len(closed), [*closed, *found]
        return self.listed(count, found)

    @expose("/", methods=["POST"])
    @guarded("card.edit")
    @takes(CardBody)
    def create(self, body: dict[str, Any]) -> Any:
        """Start a patient's card"""
        access.require_own(actor(), "card.edit", None)
        number = rules.phone(body["phone"]) if body.get("phone") else None
        with transaction():
            twins = queries.possible_duplicates(
                rules.person_name(body["surname"]), rules.person_name(body["name"]), body.get("birth_date"), number
            )
            patient = operations.create_card(body, actor=actor())
        return self.created({**operations.plain(patient), "possible_duplicates": twins})

    @expose("/<int:pk>", methods=["GET"])
    @guarded("card.see")
    def card(self, pk: int) -> Any:
        """A patient's card, with the newest visits, work orders and payments that the caller may see"""
        require_reach(pk)
        row = operations.look_at_all(pk, actor=actor()) if pk < 2**31 else None
        if row is None:
            raise NotFound()
        if row.merged_into_id:  # what is left of a card that became another one
            operations.note_opening(pk, actor=actor())
        return self.answer(operations.plain_row(row) | _may_be_told(queries.latest_of(row)))

    @expose("/<int:pk>", methods=["PATCH"])
    @guarded("card.edit")
    @takes(CardChangeBody)
    def change(self, pk: int, body: dict[str, Any]) -> Any:
        """Change a patient's card"""
        visible(pk)
        with transaction():
            patient = operations.edit_card(pk, body.pop("version"), body, actor=actor())
        return self.answer(operations.plain(patient))

    @expose("/<int:pk>/statistics", methods=["GET"])
    @guarded("card.see")
    def statistics(self, pk: int) -> Any:
        """A patient's visits and money in figures"""
        visible(pk)
        return self.answer(queries.statistics(pk))

    @expose("/<int:pk>/balance", methods=["GET"])
    @guarded("card.see")
    def balance(self, pk: int) -> Any:
        """What a patient owes and has paid ahead"""
        visible(pk)
        return self.answer(queries.balance_of(pk))


def _may_be_told(latest: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Of a card's newest visits and money what the caller may see: a doctor's own visits, no sums."""
    held, told = access.account(actor()), {}
    if held.may("schedule.see"):
        own = held.own_only("schedule.see")
        told["appointments"] = [visit for visit in latest["appointments"] if own in (None, visit["doctor_id"])]
    if held.may("payment.see"):
        told |= {name: latest[name] for name in ("work_orders", "payments")}
    return told
