"""An old card index from a file: each row's verdict, what is written, and that it is written whole or not at all."""

from typing import Any

from app.db import session
from app.models import AuditEvent, CardImport, CardImportRow
from tests.patients.imports.conftest import applied, cards, counts, looked, table, verdicts


def test_looking_writes_nothing_and_loading_writes_all(make: Any, surname: Any) -> None:
    one, two = surname(), surname()
    pk = looked(
        make,
        table(
            ["№ 0123", one, "Анна", "Сергеевна", "12.03.1985", "8 916 123-45-67 мама, 8 495 123-45-67", "112-233-445 95", ""],
            ["124", two, "пётр", "", "31.02.1985", "12", "112-233-445 96", "боится уколов"],
            ["125", "", "Иван", "", "", "", "", ""],
        ),
    )  # fmt: skip
    assert verdicts(pk) == [(2, "new"), (3, "new"), (4, "refused")]
    assert cards(one) == cards(two) == []
    assert applied(make, pk) == "applied"
    assert counts(pk) == {"new": 2, "there": 0, "maybe": 0, "twice": 0, "refused": 1, "warned": 1, "written": 2, "filled": 0}
    (first,), (second,) = cards(one), cards(two)
    assert (first.status, first.old_number, first.snils) == ("active", "№ 0123", "112-233-445 95")
    assert [(phone.number, phone.owner) for phone in first.phones] == [("+79161234567", "мама"), ("+74951234567", "")]
    assert (second.name, second.status, second.birth_date, second.snils) == ("Пётр", "draft", None, "")
    assert second.comment == "боится уколов; Дата рождения: 31.02.1985; Телефон: 12; СНИЛС: 112-233-445 96"
