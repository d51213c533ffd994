"""Templates with versions, and the papers issued from them."""

from datetime import date

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Made, Model, Name, Pk, index, not_blank, one_of
from app.vocab import TemplateKind


class DocumentTemplate(Made, Model):
    """A version of the text of a paper, with merge fields; the newest active version is printed."""

    __tablename__ = "document_template"
    id: Mapped[Pk]
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[Name]
    version: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (
        UniqueConstraint("kind", "version", name="uq_document_template_version"),
        one_of("kind", TemplateKind, "document_template"),
        not_blank("body", "document_template"),
        Index("uq_document_template_active", "kind", unique=True, postgresql_where=sql("active")),
    )

    @property
    def sheet(self) -> int:
        """What the panel makes the link to the preview of."""
        return self.id

    def __repr__(self) -> str:
        return f"{self.name}, v{self.version}"


class IssuedDocument(Made, Model):
    """A paper that was printed: its number and its very bytes. Append-only."""

    __tablename__ = "issued_document"
    id: Mapped[Pk]
    kind: Mapped[str] = mapped_column(String(40))
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    day: Mapped[date]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    template_id: Mapped[int] = mapped_column(ForeignKey("document_template.id"))
    template: Mapped[DocumentTemplate] = relationship(lazy="joined")
    html: Mapped[str] = mapped_column(Text)
    pdf: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str] = mapped_column(String(64))
    __table_args__ = (
        UniqueConstraint("legal_entity_id", "kind", "year", "number", name="uq_issued_document_number"),
        one_of("kind", TemplateKind, "issued_document"),
        index("issued_document", "patient_id"),
        index("issued_document", "template_id"),
    )

    @property
    def sheet(self) -> int:
        """What the panel makes the link to the PDF of."""
        return self.id

    def __repr__(self) -> str:
        return f"№ {self.number}"
