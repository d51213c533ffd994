"""The price list: services by kinds of work, their prices from a day on, and price lists that came as files."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Archivable, Code, Instant, Made, Model, Money, Name, Pk, index, not_blank, one_of
from app.vocab import ItemKind, TaxCode, Vat


class ServiceCategory(Archivable, Model):
    """A group of services, «вид работ»: therapy, surgery, hygiene…"""

    __tablename__ = "service_category"
    id: Mapped[Pk]
    name: Mapped[Name]
    __table_args__ = (UniqueConstraint("name", name="uq_service_category_name"), not_blank("name", "service_category"))

    def __repr__(self) -> str:
        return self.name


class Service(Archivable, Model):
    """A line of the price list; its price is in `service_price`, valid from a day."""

    __tablename__ = "service"
    id: Mapped[Pk]
    code: Mapped[Code]
    name: Mapped[str] = mapped_column(String(400))
    category_id: Mapped[int] = mapped_column(ForeignKey("service_category.id"))
    category: Mapped[ServiceCategory] = relationship(lazy="joined")
    minutes: Mapped[int] = mapped_column(SmallInteger, default=30)
    tax_code: Mapped[str] = mapped_column(String(1), default=TaxCode.USUAL, server_default="1")
    vat: Mapped[str] = mapped_column(String(10), default=Vat.NONE, server_default="none")
    item_kind: Mapped[str] = mapped_column(String(10), default=ItemKind.SERVICE, server_default="service")
    __table_args__ = (
        UniqueConstraint("code", name="uq_service_code"),
        one_of("tax_code", TaxCode, "service"),
        one_of("vat", Vat, "service"),
        one_of("item_kind", ItemKind, "service"),
        not_blank("name", "service"),
        CheckConstraint("minutes BETWEEN 5 AND 720", name="ck_service_minutes_sane"),
        CheckConstraint(r"code ~ '^[A-Z0-9][A-Za-z0-9.\-]*$'", name="ck_service_code_latin"),
        index("service", "category_id"),
        Index("ix_service_name", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    )

    def __repr__(self) -> str:
        return f"{self.code} {self.name}"


class ServicePrice(Made, Model):
    """What a service costs from a day on, until the next price of the same service.

    Never changed (trigger): one that was wrong is taken back, and stays to be seen.
    """

    __tablename__ = "service_price"
    id: Mapped[Pk]
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    service: Mapped[Service] = relationship(lazy="joined")
    valid_from: Mapped[date]
    price: Mapped[Money]
    annulled_at: Mapped[Instant | None]
    annulled_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    __table_args__ = (
        Index(
            "uq_service_price_day",
            "service_id",
            "valid_from",
            unique=True,
            postgresql_where=sql("annulled_at IS NULL"),
        ),
        CheckConstraint("price >= 0", name="ck_service_price_not_negative"),
    )

    def __repr__(self) -> str:
        return f"{self.price}"


class PriceImport(Made, Model):
    """A price list that came as a file: its rows as they were read, and, once applied, what became of each.

    What is applied is never changed (trigger).
    """

    __tablename__ = "price_import"
    id: Mapped[Pk]
    file_name: Mapped[Name]
    valid_from: Mapped[date]
    columns: Mapped[list[Any]] = mapped_column(JSONB)
    rows: Mapped[list[Any]] = mapped_column(JSONB)
    verdicts: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    applied_at: Mapped[Instant | None]
    applied_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    __table_args__ = (
        CheckConstraint("(applied_at IS NULL) = (verdicts IS NULL)", name="ck_price_import_applied_with_verdicts"),
    )

    def __repr__(self) -> str:
        return self.file_name
