"""A price list that came as a file: looked at without writing a price, then applied whole or not at all."""

from datetime import date

from sqlalchemy import insert, text, update

from app import audit, clock
from app.billing import price_files, queries, rules
from app.billing.operations.base import id_of
from app.billing.operations.prices import check_first_day, take_back_beginning
from app.billing.rules import Verdict
from app.db import lock, session
from app.errors import ImportApplied, NotFound, NothingToImport, PricesChanged, RowsRefused
from app.models import PriceImport, Service, ServicePrice, User
from app.vocab import PriceVerdict


def look_at_prices(file_name: str, content: bytes, valid_from: date, *, actor: User | None) -> PriceImport:
    """Read the file and keep its rows; no price changes.

    Raises:
        FileRefused, Invalid: the day has passed.
    """
    check_first_day(valid_from)
    found = price_files.read(content)
    queries.forget_old_imports()
    row = PriceImport(
        file_name=file_name, valid_from=valid_from, columns=[list(column) for column in found.columns], rows=found.rows,
        created_at=clock.now(), created_by_id=id_of(actor),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def apply_prices(import_id: int, seen: str, *, skip_refused: bool = False, actor: User | None) -> dict[str, int]:
    """Write what the file changes, in one transaction; how many rows there were of each verdict.

    `seen` is the digest of the verdicts that were shown. Nobody else writes services, categories or prices meanwhile:
    the tables are locked against writers, so what is judged here is what is written.

    Raises:
        NotFound, ImportApplied, PricesChanged, RowsRefused, NothingToImport
        Invalid: the day has passed meanwhile.
    """
    row = lock(PriceImport, import_id)
    if row is None:
        raise NotFound()
    if row.applied_at is not None:
        raise ImportApplied()
    check_first_day(row.valid_from)
    session.execute(text("LOCK TABLE service_category, service, service_price IN SHARE ROW EXCLUSIVE MODE"))
    verdicts = queries.judged(row)
    if rules.digest(verdicts) != seen:
        raise PricesChanged()
    many = rules.counts(verdicts)
    if many[PriceVerdict.REFUSED] and not skip_refused:
        raise RowsRefused(refused=many[PriceVerdict.REFUSED])
    if not any(many[kind] for kind in (PriceVerdict.NEW, PriceVerdict.PRICE, PriceVerdict.CHANGED)):
        raise NothingToImport()
    _write(row, verdicts, actor)
    row.verdicts = rules.as_kept(verdicts)
    row.applied_at, row.applied_by_id = clock.now(), id_of(actor)
    session.flush()
    audit.record(
        "prices.imported", row, actor=actor,
        after={"name": row.file_name, "first_day": audit.plain(row.valid_from), **many},
    )  # fmt: skip
    return many


def _write(row: PriceImport, verdicts: list[Verdict], actor: User | None) -> None:
    categories = queries.category_ids()

    def columns(values: dict[str, object]) -> dict[str, object]:
        stored = {name: value for name, value in values.items() if name != "category"}
        return stored | ({"category_id": categories[str(values["category"])]} if "category" in values else {})

    new = [v for v in verdicts if v.kind == PriceVerdict.NEW]
    if new:
        session.execute(insert(Service), [{"code": v.code, **columns(v.values)} for v in new])
    touched = [v for v in verdicts if v.kind not in (PriceVerdict.SAME, PriceVerdict.REFUSED)]
    ids = queries.service_ids([v.code for v in touched])
    for verdict in touched:
        if verdict.kind == PriceVerdict.NEW:
            after = {"code": verdict.code, **columns(verdict.values)}
            audit.record("directory.added", Service(id=ids[verdict.code]), after=after, actor=actor)
        elif verdict.values:
            session.execute(update(Service).where(Service.id == ids[verdict.code]).values(**columns(verdict.values)))
            before = {name: was for name, (was, _) in verdict.changes.items()}
            after = {name: became for name, (_, became) in verdict.changes.items()}
            audit.record("directory.changed", Service(id=ids[verdict.code]), before=before, after=after, actor=actor)
    take_back_beginning([ids[v.code] for v in touched if v.replaces], row.valid_from, actor=actor)
    prices = [
        {"service_id": ids[v.code], "valid_from": row.valid_from, "price": v.price, "created_at": clock.now(),
         "created_by_id": id_of(actor)}
        for v in touched
        if v.kind in (PriceVerdict.NEW, PriceVerdict.PRICE)
    ]  # fmt: skip
    if prices:
        session.execute(insert(ServicePrice), prices)
