"""Templates with versions, and the papers issued from them."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Instant, Made, Model, Money, Name, Pk, index, not_blank, one_of
from app.vocab import PrintedKind, TemplateKind


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


class SignedScan(Made, Model):
    """A signed paper as it was scanned. Append-only."""

    __tablename__ = "signed_scan"
    id: Mapped[Pk]
    document_id: Mapped[int] = mapped_column(ForeignKey("issued_document.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    mimetype: Mapped[str] = mapped_column(String(40))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str] = mapped_column(String(64))
    __table_args__ = (
        UniqueConstraint("document_id", "sha256", name="uq_signed_scan_once"),
        CheckConstraint(
            "mimetype IN ('application/pdf', 'image/jpeg', 'image/png')", name="ck_signed_scan_mimetype_known"
        ),
        CheckConstraint("octet_length(content) BETWEEN 1 AND 3670016", name="ck_signed_scan_size"),
        index("signed_scan", "patient_id"),
    )

    def __repr__(self) -> str:
        return self.mimetype


class MistakenScan(Made, Model):
    """A scan that was attached by mistake, to another's paper perhaps: it stays, and only the director sees it.

    Append-only.
    """

    __tablename__ = "mistaken_scan"
    id: Mapped[Pk]
    scan_id: Mapped[int] = mapped_column(ForeignKey("signed_scan.id"))
    reason: Mapped[str] = mapped_column(String(400))
    __table_args__ = (
        UniqueConstraint("scan_id", name="uq_mistaken_scan_once"),
        not_blank("reason", "mistaken_scan"),
    )

    def __repr__(self) -> str:
        return f"{self.scan_id}"


class Printing(Made, Model):
    """A numbered paper of money that was printed: the first of what it says is the original, the others are copies.

    What it says is the `state` of its subject: changed, reversed or paid since, it has an original of that too, and the
    old one stays. Append-only.
    """

    __tablename__ = "printing"
    id: Mapped[Pk]
    kind: Mapped[str] = mapped_column(String(20))
    #: The number of the receipt, the order, the shift or the movement; a sheet of the cash book is its day's first one.
    subject_id: Mapped[int]
    number: Mapped[int] = mapped_column(SmallInteger)
    #: What of the subject can change, in a word of the program; empty for what never does.
    state: Mapped[str] = mapped_column(String(80), default="", server_default="")
    original: Mapped[bool] = mapped_column(default=False, server_default="false")
    #: The original; a receipt's is made of its snapshot.
    pdf: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    __table_args__ = (
        CheckConstraint("original OR pdf IS NULL", name="ck_printing_original_kept"),
        UniqueConstraint("kind", "subject_id", "number", name="uq_printing_number"),
        Index("uq_printing_original", "kind", "subject_id", "state", unique=True, postgresql_where=sql("original")),
        one_of("kind", PrintedKind, "printing"),
        CheckConstraint("number > 0", name="ck_printing_number_positive"),
    )

    def __repr__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class ServiceAct(Made, Model):
    """The number of an act of services «акт»: of a bill, or of what a reversing order left of one. Append-only."""

    __tablename__ = "service_act"
    id: Mapped[Pk]
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"))
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    day: Mapped[date]
    __table_args__ = (
        UniqueConstraint("work_order_id", name="uq_service_act_of_order"),
        UniqueConstraint("legal_entity_id", "year", "number", name="uq_service_act_number"),
        CheckConstraint("number > 0", name="ck_service_act_number_positive"),
    )

    def __repr__(self) -> str:
        return f"№ {self.number}"


class TaxCertificate(Made, Model):
    """What a payer paid for a patient's treatment in a year, certified once; a mistake is annulled.

    `of_unknown`: it counts what was paid by nobody knows whom, too, and that is certified once as well.
    """

    __tablename__ = "tax_certificate"
    id: Mapped[Pk]
    document_id: Mapped[int] = mapped_column(ForeignKey("issued_document.id"))
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    payer_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    tax_year: Mapped[int] = mapped_column(SmallInteger)
    correction: Mapped[int] = mapped_column(SmallInteger)
    usual: Mapped[Money]
    expensive: Mapped[Money]
    of_unknown: Mapped[bool] = mapped_column(default=True, server_default=sql("true"))
    annulled_at: Mapped[Instant | None]
    annulled_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    annul_reason: Mapped[str] = mapped_column(String(400), default="", server_default="")
    __table_args__ = (
        UniqueConstraint("document_id", name="uq_tax_certificate_document"),
        Index("uq_tax_certificate_once", "legal_entity_id", "patient_id", "payer_id", "tax_year", unique=True,
              postgresql_where=sql("annulled_at IS NULL")),
        Index("uq_tax_certificate_unknown_once", "legal_entity_id", "patient_id", "tax_year", unique=True,
              postgresql_where=sql("annulled_at IS NULL AND of_unknown")),
        CheckConstraint("usual >= 0 AND expensive >= 0 AND usual + expensive > 0", name="ck_tax_certificate_sums"),
        CheckConstraint("correction BETWEEN 0 AND 998", name="ck_tax_certificate_correction"),
        CheckConstraint("(annulled_at IS NULL) = (btrim(annul_reason) = '')",
                        name="ck_tax_certificate_annulled_with_reason"),
        index("tax_certificate", "patient_id"),
        index("tax_certificate", "payer_id"),
    )  # fmt: skip

    def __repr__(self) -> str:
        return f"{self.tax_year}"


class IssuedDocument(Made, Model):
    """A paper that was issued: its number, its text, and the very bytes that are printed.

    Append-only, but that the bytes come a moment later: once, from nothing to what stays (trigger).
    """

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
    #: The first of the papers that were issued together as one file; empty for that one itself.
    first_id: Mapped[int | None] = mapped_column(ForeignKey("issued_document.id"))
    html: Mapped[str] = mapped_column(Text, deferred=True)
    pdf: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (
        UniqueConstraint("legal_entity_id", "kind", "year", "number", name="uq_issued_document_number"),
        one_of("kind", TemplateKind, "issued_document"),
        CheckConstraint("(pdf IS NULL) = (sha256 IS NULL)", name="ck_issued_document_hash_with_bytes"),
        CheckConstraint("sha256 = encode(sha256(pdf), 'hex')", name="ck_issued_document_hash_of_bytes"),
        index("issued_document", "patient_id"),
        index("issued_document", "template_id"),
        index("issued_document", "first_id"),
        index("issued_document", "day"),
    )

    def __repr__(self) -> str:
        return f"№ {self.number}"


class PaperJob(Made, Model):
    """An issued paper that has no bytes yet; gone when they are stored. A cause: nobody tries it by itself any more."""

    __tablename__ = "paper_job"
    document_id: Mapped[int] = mapped_column(ForeignKey("issued_document.id"), primary_key=True, autoincrement=False)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    error: Mapped[str] = mapped_column(String(400), default="", server_default="")

    def __repr__(self) -> str:
        return f"{self.document_id}: {self.attempts}"


class FirstVisitPaper(Model):
    """A kind of paper that a newcomer signs, and its place in the file that is printed at once."""

    __tablename__ = "first_visit_paper"
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger)
    __table_args__ = (
        one_of("kind", TemplateKind, "first_visit_paper"),
        CheckConstraint(
            "kind NOT IN ('tax_certificate', 'work_order', 'act', 'guarantee', 'receipt')",
            name="ck_first_visit_paper_from_the_card",
        ),
        CheckConstraint("place > 0", name="ck_first_visit_paper_place_positive"),
    )

    def __repr__(self) -> str:
        return f"{self.place}. {self.kind}"
