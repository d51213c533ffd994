"""The shelf «Полка»: visits that a person carries to another day. A visit keeps its place until it is put elsewhere.

It leaves the shelf by itself when it moves, is cancelled or arrives (`places.leave_shelf`).
"""

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app import clock
from app.db import session
from app.errors import OnShelf
from app.models import Appointment, ShelfItem, User
from app.schedule import queries, rules
from app.schedule.operations.places import locked_visit


def put_on_shelf(appointment_id: int, *, actor: User) -> Appointment:
    """Take a visit onto one's shelf; twice is the same as once. Of two people at once, one has it.

    Flushes, never commits; nothing of the visit changes, so nothing is recorded.

    Raises:
        NotFound
        WrongStatus: only a booked visit is carried about.
        OnShelf: somebody else has it; `who` is the name.
    """
    visit = locked_visit(appointment_id)
    rules.check_movable(visit.status, elsewhere=True)
    item = insert(ShelfItem).values(appointment_id=visit.id, user_id=actor.id, put_at=clock.now())
    session.execute(item.on_conflict_do_nothing())
    holder = session.get_one(ShelfItem, visit.id, populate_existing=True)
    if holder.user_id != actor.id:
        raise OnShelf(who=queries.name_of(holder.user_id))
    return visit


def take_off_shelf(appointment_id: int, *, actor: User) -> Appointment:
    """Let a visit of one's own shelf stay where it is; one that is not there is fine as well.

    Raises:
        NotFound
    """
    visit = locked_visit(appointment_id)
    session.execute(delete(ShelfItem).where(ShelfItem.appointment_id == visit.id, ShelfItem.user_id == actor.id))
    return visit
