"""What is printed has its fiscal numbers: a device that says «done» and nothing else has printed nothing yet."""

from alembic import op

revision = "20261202_fiscal"
down_revision = "20261201_money"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was written without numbers before stays as it is: nobody knows them.
    op.execute(
        "ALTER TABLE fiscal_receipt ADD CONSTRAINT ck_fiscal_receipt_printed_with_numbers"
        " CHECK (document IS NULL OR (document > 0 AND fn <> '')) NOT VALID"
    )


def downgrade() -> None:
    op.drop_constraint("ck_fiscal_receipt_printed_with_numbers", "fiscal_receipt", type_="check")
