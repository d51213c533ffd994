"""The waiting list and planned visits over JSON: who waits, who fits a free time, offers, planning."""

from typing import Any

from flask_babel import gettext

from app import access
from app.db import transaction
from app.errors import Invalid, NotAllowed
from app.models import Branch, Employee, Patient, PlannedVisit, WaitingEntry, WaitingOffer
from app.patients import queries as patients
from app.schedule import forms, operations, queries, rules
from app.vocab import N_
from app.web import DeskApi, actor, asks, expose, fetched, guarded, may, takes


def said(fit: dict[str, Any]) -> dict[str, Any]:
    """A row of who fits, with its reasons in the caller's language."""
    return {**fit, "why": [gettext(text, **words) for text, words in fit["why"]]}


def windows_of(body: dict[str, Any]) -> None:
    """The wished hours as minutes of the day; 00:00 as the end is midnight."""
    if "windows" in body:
        body["windows"] = [
            (one["start"].hour * 60 + one["start"].minute, (one["end"].hour * 60 + one["end"].minute) or 1440)
            for one in body["windows"]
        ]


def own_plans() -> int | None:
    """The doctor whose planned visits alone this account sees; None when everybody's."""
    return access.account(actor()).own_only("planned.see")


class FitsApi(DeskApi):
    """Who fits a free time."""

    resource_name = "schedule"
    openapi_spec_tag = "Waiting list"

    @expose("/fits", methods=["GET"])
    @guarded("waiting.see")
    @asks(forms.FitsQuery)
    def fits(self, query: dict[str, Any]) -> Any:
        """Who of the waiting list and of the planned visits fits a free time, best first; its open offers"""
        return self.answer(fits_of(query))


def fits_of(query: dict[str, Any]) -> dict[str, Any]:
    """What is free of a time, who was offered it, and whom it suits.

    Raises:
        NotFound, WrongTimes
    """
    rules.check_times(query["starts_at"], query["ends_at"])
    doctor_id, span = query["doctor_id"], rules.Span(query["starts_at"], query["ends_at"])
    free = queries.still_free(doctor_id, query["chair_id"], span)
    offers = queries.open_offers(doctor_id=doctor_id, span=span) if free is None or free.held else []
    if free is None:
        return {"free": None, "offers": offers, "result": []}
    found = queries.who_fits(
        doctor_id, free.starts_at, free.ends_at, branch_id=free.branch_id, chair_id=query["chair_id"],
        with_planned=may("planned.see"), limit=query["limit"],
    )  # fmt: skip
    told = {
        "doctor_id": doctor_id, "chair_id": query["chair_id"] or free.chair_id, "branch_id": free.branch_id,
        "starts_at": free.starts_at, "ends_at": free.ends_at,
    }  # fmt: skip
    return {"free": told, "offers": offers, "result": [said(fit) for fit in found]}


class WaitingApi(DeskApi):
    """The waiting list."""

    resource_name = "waiting-entries"
    openapi_spec_tag = "Waiting list"

    def _done(self, entry: WaitingEntry, status: int = 200) -> Any:
        return self.answer(queries.waiting_entry(entry.id), status)

    @expose("/", methods=["GET"])
    @guarded("waiting.see")
    @asks(forms.EntriesQuery)
    def index(self, query: dict[str, Any]) -> Any:
        """Who waits, the most urgent and the longest waiting first"""
        page, size = query.pop("page"), query.pop("page_size")
        count, rows = queries.waiting_page(queries.WantedEntries(**query), limit=size, offset=page * size)
        return self.listed(count, rows)

    @expose("/", methods=["POST"])
    @guarded("waiting.edit")
    @takes(forms.NewEntry)
    def add(self, body: dict[str, Any]) -> Any:
        """Put a patient on the waiting list"""
        windows_of(body)
        with transaction():
            entry = operations.wait_for_time(body.pop("patient_id"), **body, actor=actor())
            answer = self._done(entry, 201)
        return answer

    @expose("/<int:pk>", methods=["GET"])
    @guarded("waiting.see")
    def get(self, pk: int) -> Any:
        """One entry"""
        return self._done(fetched(WaitingEntry, pk))

    @expose("/<int:pk>", methods=["PATCH"])
    @guarded("waiting.edit")
    @takes(forms.ChangedEntry)
    def change(self, pk: int, body: dict[str, Any]) -> Any:
        """Change what would suit"""
        fetched(WaitingEntry, pk)
        windows_of(body)
        with transaction():
            if body.get("branch_id") is not None:
                fetched(Branch, body["branch_id"])
            answer = self._done(operations.change_wishes(pk, body.pop("version"), **body, actor=actor()))
        return answer

    @expose("/<int:pk>/times", methods=["GET"])
    @guarded("waiting.see")
    def times(self, pk: int) -> Any:
        """The free times that fit an entry, the earliest first"""
        fetched(WaitingEntry, pk)
        found = queries.times_for(pk)
        return self.listed(len(found), found)

    @expose("/<int:pk>/offer", methods=["POST"])
    @guarded("waiting.edit")
    @takes(forms.Offering)
    def offer(self, pk: int, body: dict[str, Any]) -> Any:
        """Offer a free time and hold it until the answer"""
        fetched(WaitingEntry, pk)
        with transaction():
            offer = operations.offer_time(
                pk, body.pop("doctor_id"), body.pop("starts_at"), body.pop("ends_at"), **body, actor=actor()
            )
            answer = self.created({"offer": offer_answer(offer), "entry": queries.waiting_entry(pk)})
        return answer

    @expose("/<int:pk>/cancel", methods=["POST"])
    @guarded("waiting.edit")
    @takes(forms.Refusing)
    def cancel(self, pk: int, body: dict[str, Any]) -> Any:
        """Take a patient off the waiting list, with the reason"""
        fetched(WaitingEntry, pk)
        with transaction():
            answer = self._done(operations.call_off(pk, body["version"], body["reason_id"], actor=actor()))
        return answer

    @expose("/of-patient/<int:pk>", methods=["GET"])
    @guarded("schedule.book")
    @asks(forms.WishesQuery)
    def of_patient(self, pk: int, query: dict[str, Any]) -> Any:
        """What a patient still wants: planned visits and waiting entries; what a visit then and there would close"""
        fetched(Patient, pk)
        wishes = queries.wishes_of(pk, with_waiting=may("waiting.see"), own=own_plans() if may("planned.see") else 0)
        answer: dict[str, Any] = dict(wishes)
        if query["doctor_id"] is not None and query["day"] is not None:
            answer["closes"] = queries.closes(wishes, day=query["day"], doctor_id=query["doctor_id"])
        return self.answer(answer)


def offer_answer(offer: WaitingOffer) -> dict[str, Any]:
    """An offer as it is now."""
    return queries.as_offer(offer, offer.entry, fetched(Employee, offer.doctor_id))


class OfferApi(DeskApi):
    """Offers of free time."""

    resource_name = "waiting-offers"
    openapi_spec_tag = "Waiting list"

    @expose("/", methods=["GET"])
    @guarded("waiting.see")
    def index(self) -> Any:
        """The offers that wait for an answer, the one that ends first comes first"""
        rows = queries.open_offers()
        return self.listed(len(rows), rows)

    @expose("/<int:pk>/accept", methods=["POST"])
    @guarded("waiting.edit")
    @takes(forms.Nothing)
    def accept(self, pk: int, body: dict[str, Any]) -> Any:
        """The patient takes the time: booked, or moved there; `freed` is the time that a moved visit left"""
        fetched(WaitingOffer, pk)
        with transaction():
            done = operations.accept_offer(pk, actor=actor())
            freed = done.freed
            answer = self.answer(
                {
                    "offer": offer_answer(done.offer),
                    "entry": queries.waiting_entry(done.offer.entry_id),
                    "visit": queries.visit(done.visit.id, with_money=may("payment.see")),
                    "freed": {
                        "doctor_id": freed.doctor_id, "chair_id": freed.chair_id, "branch_id": done.freed_branch_id,
                        "starts_at": freed.starts_at, "ends_at": freed.ends_at,
                    }
                    if freed
                    else None,
                }
            )  # fmt: skip
        return answer

    @expose("/<int:pk>/decline", methods=["POST"])
    @guarded("waiting.edit")
    @takes(forms.Nothing)
    def decline(self, pk: int, body: dict[str, Any]) -> Any:
        """The patient does not want this time and waits on"""
        fetched(WaitingOffer, pk)
        with transaction():
            offer = operations.decline_offer(pk, actor=actor())
            answer = self.answer({"offer": offer_answer(offer), "entry": queries.waiting_entry(offer.entry_id)})
        return answer


class PlannedApi(DeskApi):
    """Planned visits."""

    resource_name = "planned-visits"
    openapi_spec_tag = "Waiting list"

    def _done(self, planned: PlannedVisit, status: int = 200) -> Any:
        return self.answer(queries.planned_visit(planned.id), status)

    def _own(self, pk: int, right: str = "planned.see") -> PlannedVisit:
        planned: PlannedVisit = fetched(PlannedVisit, pk)
        access.require_own(actor(), right, planned.doctor_id)
        return planned

    @expose("/", methods=["GET"])
    @guarded("planned.see")
    @asks(forms.PlansQuery)
    def index(self, query: dict[str, Any]) -> Any:
        """Planned visits, the earliest call first"""
        page, size = query.pop("page"), query.pop("page_size")
        wanted = queries.WantedPlans(**query, own=own_plans())
        count, rows = queries.planned_page(wanted, limit=size, offset=page * size)
        return self.listed(count, rows)

    @expose("/", methods=["POST"])
    @guarded("planned.edit")
    @takes(forms.NewPlan)
    def plan(self, body: dict[str, Any]) -> Any:
        """Plan a visit that has no date yet"""
        with transaction():
            answer = self._done(plan_visit(body), 201)
        return answer

    @expose("/<int:pk>", methods=["GET"])
    @guarded("planned.see")
    def get(self, pk: int) -> Any:
        """One planned visit"""
        return self._done(self._own(pk))

    @expose("/<int:pk>", methods=["PATCH"])
    @guarded("planned.edit")
    @takes(forms.ChangedPlan)
    def change(self, pk: int, body: dict[str, Any]) -> Any:
        """Change what was planned"""
        self._own(pk, "planned.edit")
        if "doctor_id" in body:
            access.require_own(actor(), "planned.edit", body["doctor_id"])
        with transaction():
            answer = self._done(operations.change_plan(pk, body.pop("version"), **body, actor=actor()))
        return answer

    @expose("/<int:pk>/postpone", methods=["POST"])
    @guarded("planned.edit")
    @takes(forms.Postponing)
    def postpone(self, pk: int, body: dict[str, Any]) -> Any:
        """Call about it later"""
        self._own(pk, "planned.edit")
        with transaction():
            answer = self._done(
                operations.postpone_plan(pk, body["version"], body["call_on"], comment=body["comment"], actor=actor())
            )
        return answer

    @expose("/<int:pk>/decline", methods=["POST"])
    @guarded("planned.edit")
    @takes(forms.Refusing)
    def decline(self, pk: int, body: dict[str, Any]) -> Any:
        """The patient does not want the visit, and why"""
        self._own(pk, "planned.edit")
        with transaction():
            answer = self._done(operations.decline_plan(pk, body["version"], body["reason_id"], actor=actor()))
        return answer

    @expose("/<int:pk>/close", methods=["POST"])
    @guarded("planned.edit")
    @takes(forms.ClosingPlan)
    def close(self, pk: int, body: dict[str, Any]) -> Any:
        """It is no longer needed"""
        self._own(pk, "planned.edit")
        with transaction():
            answer = self._done(operations.close_plan(pk, body["version"], comment=body["comment"], actor=actor()))
        return answer


def plan_visit(body: dict[str, Any]) -> PlannedVisit:
    """Plan a visit; a doctor plans own visits of own patients.

    Raises:
        NotFound, NotAllowed, Invalid
    """
    own = access.account(actor()).own_only("planned.edit")
    if own is not None:
        if not patients.treated_by(body["patient_id"], own):
            raise NotAllowed(right="planned.edit")
        body["doctor_id"], body["speciality_id"] = own, None
    if body.get("target_to") is not None and body.get("target_from") is None and body.get("months") is None:
        raise Invalid(fields={"target_from": N_("Choose when the patient should come.")})
    return operations.plan(body.pop("patient_id"), **body, actor=actor())
