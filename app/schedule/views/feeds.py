"""Doctors' calendars for phones: the page that gives and revokes the secret addresses, and the calendar itself."""

from typing import Any

from flask import make_response, request, url_for
from flask_babel import gettext

from app import access, brakes, clock
from app.db import transaction
from app.errors import NotFound
from app.models import Employee
from app.schedule import operations, queries
from app.schedule.rules.feed import calendar_text
from app.signin import TooManyRequests
from app.web import DeskView, actor, expose, fetched, guarded

_LONGEST_SECRET = 64


class FeedsView(DeskView):
    """Whose calendar is open to a phone."""

    route_base = "/schedule/feeds"

    @expose("/")
    @guarded("schedule.feed")
    def index(self) -> Any:
        """The doctors and their calendars; a doctor sees the own one."""
        return self._page()

    def _page(self, address: str = "", doctor_id: int | None = None) -> Any:
        own = access.account(actor()).own_only("schedule.feed")
        page = self.page(
            "schedule/feeds.html", title=gettext("Calendars for phones"), rows=queries.feeds(doctor_id=own),
            address=address, given_to=doctor_id,
        )  # fmt: skip
        response = make_response(page)
        response.headers["Cache-Control"] = "no-store"
        return response

    @expose("/<int:doctor_id>/give", methods=["POST"])
    @guarded("schedule.feed")
    def give(self, doctor_id: int) -> Any:
        """A new secret address, shown this once."""
        fetched(Employee, doctor_id)
        with transaction():
            secret = operations.give_feed(doctor_id, actor=actor())
        return self._page(url_for("CalendarView.calendar", secret=secret, _external=True), doctor_id)

    @expose("/<int:pk>/revoke", methods=["POST"])
    @guarded("schedule.feed")
    def revoke(self, pk: int) -> Any:
        """Close an address."""
        with transaction():
            operations.revoke_feed(pk, actor=actor())
        return self._page()


class CalendarView(DeskView):
    """The calendar itself: open to who knows the address, and to nobody who guesses."""

    route_base = "/calendar"

    @expose("/<secret>.ics")
    def calendar(self, secret: str) -> Any:
        """A doctor's visits for a calendar program; 404 for an address that is not, or no longer, given."""
        place = request.remote_addr or ""
        if not brakes.may_try(brakes.WRONG_ADDRESSES, "calendar", place):
            raise TooManyRequests()
        feed = queries.feed_of(operations.hash_of(secret)) if len(secret) <= _LONGEST_SECRET else None
        if feed is None:
            brakes.may_try(brakes.WRONG_ADDRESSES, "calendar", place, failed=True)
            raise NotFound()
        text = calendar_text(
            gettext("Visits: %(doctor)s", doctor=feed.doctor.short_name),
            queries.entries(feed.doctor_id), clock.zone(), request.host.partition(":")[0],
        )  # fmt: skip
        with transaction():
            operations.note_reading(feed)
        response = make_response(text)
        response.mimetype = "text/calendar"
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["X-Robots-Tag"] = "noindex"
        response.add_etag()
        return response.make_conditional(request)
