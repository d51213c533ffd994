"""Cash orders with numbers of their own, who signs them and their accounts."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_papers"
down_revision = "20261126_cash"
branch_labels = None
depends_on = None

ACCOUNTS = {
    "account_cash": "50.01", "account_patients": "62.01", "account_bank": "57.01", "account_salary": "70",
    "account_expenses": "71.01", "account_other": "91",
}  # fmt: skip


def upgrade() -> None:
    """What was numbered stays as it is; from now on the bank's movements take no number of a cash order."""
    for name, condition in (
        ("ck_cash_movement_series_known", "series IN ('in', 'out', 'bank_in', 'bank_out')"),
        ("ck_cash_movement_series_by_sign", "(series IN ('in', 'bank_in')) = (delta > 0)"),
    ):
        op.drop_constraint(name, "cash_movement")
        op.create_check_constraint(name, "cash_movement", condition)
    op.add_column("legal_entity", sa.Column("accountant_name", sa.String(200), server_default="", nullable=False))
    for name, account in ACCOUNTS.items():
        op.add_column("legal_entity", sa.Column(name, sa.String(20), server_default=account, nullable=False))


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
