"""Expense categories «статьи расходов»: anybody at the desk adds one; the director merges them."""

from sqlalchemy import select, update

from app import access, audit, clock
from app.cash import queries
from app.db import session
from app.errors import AlreadyThere, CategoryArchived, CategoryMerged, Invalid, NotFound
from app.models import ExpenseCategory, User
from app.vocab import N_


def add_category(name: str, parent_id: int | None = None, *, actor: User | None) -> ExpenseCategory:
    """Add an expense category «статья расходов», at once usable for withdrawals.

    Raises:
        NotAllowed, Invalid
        AlreadyThere: the name is taken, whatever its case.
        CategoryArchived, CategoryMerged: by one that takes nothing new; an archived one keeps its name.
    """
    access.require(actor, "expense_category.add")
    name = " ".join("".join(c for c in name if c.isprintable() or c.isspace()).split())
    if not name or len(name) > 200:
        raise Invalid(fields={"name": N_("Fill in this field.") if not name else N_("This text is too long.")})
    if parent_id is not None:
        parent = session.get(ExpenseCategory, parent_id)
        if parent is None or parent.archived:
            raise Invalid(fields={"parent_id": N_("There is no such expense category.")})
    known = queries.category_named(name)
    if known is not None:
        raise _taken_by(known)
    category = ExpenseCategory(
        name=name, parent_id=parent_id, created_at=clock.now(), created_by_id=actor.id if actor else None
    )
    session.add(category)
    session.flush()
    audit.record("expense_category.added", category, after=audit.facts(category, ("name", "parent_id")), actor=actor)
    return category


def _taken_by(known: ExpenseCategory) -> AlreadyThere:
    """Why a name cannot be given again; who typed it does not see what is archived."""
    heir = session.get(ExpenseCategory, known.merged_into_id) if known.merged_into_id is not None else None
    if heir is not None and not heir.archived:
        return CategoryMerged({"name": known.name, "heir": heir.name})
    return CategoryArchived({"name": known.name}) if known.archived else AlreadyThere()


def merge_category(category_id: int, heir_id: int, *, actor: User | None) -> ExpenseCategory:
    """One category takes another's place: reports count its movements there, and it takes nothing new.

    What was merged into it before, and its children, go along; the movements themselves stay as they were written.
    Locks both by number. Records `expense_category.merged`.

    Raises:
        NotAllowed, NotFound
        Invalid: into itself, into one of its own parts, into an archived or merged one; it was merged already.
    """
    access.require(actor, "expense_category.edit")
    if category_id == heir_id:
        raise Invalid(fields={"heir_id": N_("Choose another category.")})
    asked = select(ExpenseCategory).where(ExpenseCategory.id.in_((category_id, heir_id))).order_by(ExpenseCategory.id)
    locked = asked.with_for_update(of=ExpenseCategory, key_share=True).execution_options(populate_existing=True)
    rows = {row.id: row for row in session.scalars(locked)}
    category, heir = rows.get(category_id), rows.get(heir_id)
    if category is None or heir is None:
        raise NotFound()
    if category.merged_into_id is not None:
        raise Invalid(fields={"heir_id": N_("This category has been merged already.")})
    if heir.archived or queries.is_part_of(heir.id, category.id):
        raise Invalid(fields={"heir_id": N_("Choose a category that is in use and is not a part of this one.")})
    before = audit.facts(category, ("archived", "merged_into_id"))
    category.archived, category.merged_into_id = True, heir.id
    session.flush()
    for column in (ExpenseCategory.merged_into_id, ExpenseCategory.parent_id):
        session.execute(
            update(ExpenseCategory)
            .where(column == category.id, ExpenseCategory.id != heir.id)
            .values({column: heir.id})
        )
    after = {**audit.facts(category, ("archived", "merged_into_id")), "onto": heir.name}
    audit.record("expense_category.merged", category, before=before, after=after, actor=actor)
    return heir
