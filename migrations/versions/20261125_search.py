"""The words of names that the cards have, for searches with a mistake or in other letters."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_search"
down_revision = "20261124_fiscal"
branch_labels = None
depends_on = None

WORDS = r"""
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

-- In the order of the alphabet, so that two new cards with the same new words do not wait for each other in a circle.
CREATE FUNCTION keep_name_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_word (word)
        SELECT DISTINCT word FROM regexp_split_to_table(NEW.search_name, '\s+') word WHERE word <> '' ORDER BY word
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_patient_name_words AFTER INSERT OR UPDATE OF surname, name, patronymic ON patient
    FOR EACH ROW EXECUTE FUNCTION keep_name_words();

INSERT INTO name_word (word)
    SELECT DISTINCT word FROM patient, regexp_split_to_table(search_name, '\s+') word WHERE word <> '';
"""


def upgrade() -> None:
    op.create_table(
        "name_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column(
            "latin",
            sa.Text(),
            sa.Computed(
                "regexp_replace(translate(word, 'абвгдежзклмнопрстуфхцчшщэюяийыьъё', 'abvgdezzklmnoprstufhcqwweua'),"
                r" '(.)\1+', '\1', 'g')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("word", name=op.f("name_word_pkey")),
    )
    op.execute(WORDS)


def downgrade() -> None:
    raise NotImplementedError("what was written about patients is not dropped")
