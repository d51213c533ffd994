"""What the tax office and the fiscal device must know about a service."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_prices"
down_revision = "20261123_settings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = {"tax_code": (1, "1"), "vat": (10, "none"), "item_kind": (10, "service")}
    for name, (length, default) in columns.items():
        op.add_column("service", sa.Column(name, sa.String(length), server_default=default, nullable=False))
    op.create_check_constraint("ck_service_tax_code_known", "service", "tax_code IN ('1', '2')")
    op.create_check_constraint(
        "ck_service_vat_known", "service", "vat IN ('none', 'vat0', 'vat5', 'vat7', 'vat10', 'vat20', 'vat22')"
    )
    op.create_check_constraint("ck_service_item_kind_known", "service", "item_kind IN ('service', 'goods')")


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
