"""What the columns of an old card index mean, guessed by their headings; a person corrects the guess."""

import re
from collections.abc import Sequence

from app.errors import Invalid
from app.vocab import N_, CardColumn

#: Several columns may say the same: «Телефон домашний» and «Мобильный», «Серия» and «Номер паспорта».
REPEATED = (
    CardColumn.PHONE, CardColumn.ADDRESS, CardColumn.PASSPORT, CardColumn.COMMENT, CardColumn.ALLERGY, CardColumn.TAGS,
    CardColumn.INSURANCE,
)  # fmt: skip
#: Looked at in this order: «номер телефона» is a phone before «номер» is a card.
_HEADINGS: tuple[tuple[CardColumn | None, str], ...] = (
    (None, r"^(n|№)? ?п п$|^id$|возраст|^age$|дата (созд|регистр|визит|посещ|обращ|заполн)"),
    (CardColumn.CONSENT_ON, r"соглас|пдн|consent"),
    (CardColumn.FULL_NAME, r"^ф ?и ?о\b|фамилия имя|полное имя|^(пациент|клиент|больной|full ?name|patient|client)\b"),
    (CardColumn.SURNAME, r"фамилия|surname|last ?name"),
    (CardColumn.PATRONYMIC, r"отчество|patronymic|middle ?name"),
    (CardColumn.NAME, r"^имя\b|^(first ?|given ?)?name$"),
    (CardColumn.BIRTH_DATE, r"рожд|^д ?р$|birth|\bdob\b"),
    (CardColumn.SEX, r"^пол\b|^sex$|gender"),
    (CardColumn.PHONE, r"тел|моб|сотов|phone|mobile|контакт"),
    (CardColumn.ADDRESS, r"адрес|прожив|прописк|регистрац|^город$|^улица$|address"),
    (CardColumn.EMAIL, r"e ?mail|почт|mail"),
    (CardColumn.SNILS, r"снилс|snils|пенсион"),
    (CardColumn.INN, r"^инн\b|^inn$|налогопл"),
    (CardColumn.PASSPORT, r"паспорт|документ|^серия|кем выдан|когда выдан|passport|identity"),
    (CardColumn.INSURANCE, r"полис|дмс|страхов|insur"),
    (CardColumn.ALLERGY, r"аллерг|allerg"),
    (CardColumn.SOURCE, r"источник|откуда|узнал|реклам|source"),
    (CardColumn.OLD_NUMBER, r"карт|^(№|номер|код|n|no)$|амбулат|истори|card"),
    (CardColumn.TAGS, r"метк|^тег|статус|категори|\btags?\b"),
    (CardColumn.COMMENT, r"коммент|примеч|заметк|коментар|comment|note|remark"),
)  # fmt: skip


def meaning(heading: str) -> CardColumn | None:
    """What a heading says; None: nothing that a card has."""
    plain = " ".join(re.sub(r"[^\w\s№]|_", " ", heading.lower().replace("ё", "е")).split())
    return next((column for column, pattern in _HEADINGS if plain and re.search(pattern, plain)), None)


def guess(headings: Sequence[str]) -> list[str]:
    """The meaning of each column, empty when it is not used; what only one column may say is the first one's."""
    found: list[str] = []
    for heading in headings:
        column = meaning(heading)
        found.append(str(column) if column and (column in REPEATED or str(column) not in found) else "")
    return found


def check_mapping(mapping: Sequence[str]) -> None:
    """A surname and a first name are said, and nothing is said twice that is said once.

    Raises:
        Invalid
    """
    said = [one for one in mapping if one]
    if any(one not in list(CardColumn) for one in said):
        raise Invalid(fields={"mapping": N_("Unknown value.")})
    twice = next((one for one in said if one not in REPEATED and said.count(one) > 1), None)
    if twice:
        raise Invalid(fields={"mapping": N_("Two columns are said to be the same: leave one of them."), "twice": twice})
    if CardColumn.FULL_NAME not in said and not {CardColumn.SURNAME, CardColumn.NAME} <= set(said):
        raise Invalid(fields={"mapping": N_("Say where the surname and the first name are.")})
