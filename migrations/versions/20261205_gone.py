"""Nothing is written down of a card that was erased or merged: no paper, no questionnaire, no scan."""

from alembic import op

revision = "20261205_gone"
down_revision = "20261204_fiscal"
branch_labels = None
depends_on = None

#: Beside those of 20261201_erasure. Names sort after the foreign key's own trigger, which waits for the card.
TAKES_NOTHING = ("issued_document", "signed_scan", "health_survey", "medical_record", "diary_entry")


def upgrade() -> None:
    for table in TAKES_NOTHING:
        op.execute(
            f"CREATE TRIGGER tr_{table}_not_of_gone AFTER INSERT ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION gone_card_takes_nothing()"
        )


def downgrade() -> None:
    for table in TAKES_NOTHING:
        op.execute(f"DROP TRIGGER tr_{table}_not_of_gone ON {table}")
