"""What the programs are asked about cards: one question for each way of finding one, duplicates, pages.

A hard search is compared with the bare program's plain one, by the beginning of a surname: whoever types in the wrong
layout waits as long as everybody, or nearly. Run alone: `make bench BENCH="--only search --only card"`.
"""

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text

from app.patients.rules import other_layout
from bench.programs import Asked, Question

#: How many cards are looked for in turn.
PEOPLE = 60

_LATIN = str.maketrans(
    dict(zip("абвгдеёзийклмнопрстуфыэ", "abvgdeeziyklmnoprstufye", strict=True))
    | {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya"}
)


class People:
    """Cards of the poured clinic that are looked for, as somebody at the desk knows them."""

    def __init__(self, connection: Any) -> None:
        rows = connection.execute(
            text(
                """
                SELECT p.surname, p.name, p.patronymic, p.birth_date, p.card_number, f.number phone
                FROM patient p JOIN patient_phone f ON f.patient_id = p.id WHERE p.id % 3331 = 7 ORDER BY p.id LIMIT :many
                """
            ),
            {"many": PEOPLE},
        )
        self.found = [row._mapping for row in rows]
        self.with_io = [
            row._mapping
            for row in connection.execute(
                text(
                    "SELECT surname, name FROM patient WHERE surname LIKE '%ё%' AND id % 97 = 5 ORDER BY id LIMIT :many"
                ),
                {"many": PEOPLE},
            )
        ]
        self.guardians = list(
            connection.scalars(
                text(
                    "SELECT f.number FROM patient child JOIN patient_phone f ON f.patient_id = child.guardian_id"
                    " WHERE child.guardian_id IS NOT NULL AND child.id % 71 = 3 ORDER BY child.id LIMIT :many"
                ),
                {"many": PEOPLE},
            )
        )

    def one(self, n: int) -> Any:
        return self.found[n % len(self.found)]


def latin(word: str) -> str:
    """A name as a passport has it."""
    return word.lower().translate(_LATIN).capitalize()


def mistyped(word: str, n: int) -> str:
    """One letter wrong, missing, extra, or two of them swapped; the first letter is right."""
    at = 2 + n % max(1, len(word) - 3)
    head, rest = word[:at], word[at:]
    return (head + "ъ" + rest[1:], head + rest[1:], head + "у" + rest, head[:-1] + rest[:1] + head[-1] + rest[1:])[
        n % 4
    ]


def formats(number: str, n: int) -> str:
    """A phone as people dictate it: whole, in their own punctuation, or only its end."""
    tail = number[-10:]
    return (
        f"8 ({tail[:3]}) {tail[3:6]}-{tail[6:8]}-{tail[8:]}", number, f"{tail[3:6]}-{tail[6:8]}-{tail[8:]}",
        f"{tail[6:8]}-{tail[8:]}", f"8{tail}",
    )[n % 5]  # fmt: skip


def card_questions(people: People, names: list[str], patient: Callable[[int], int]) -> list[Question]:
    """Pages and searches of the card index. `names`: surnames; `patient`: a card's id by a number."""
    get = lambda path, **q: Asked("GET", path + ("?" + urlencode(q) if q else ""))  # noqa: E731
    plain = lambda n: get("/name", q=names[n % len(names)][:4])  # noqa: E731

    def hard(kind: str, typed: Callable[[int], str]) -> Question:
        return Question(f"search: {kind}", lambda n: get("/api/v1/patients/", q=typed(n)), plain, None, 10, at_p95=True)

    def in_any_order(n: int) -> str:
        of = people.one(n)
        parts = (of["name"], of["surname"]), (of["patronymic"], of["surname"]), (of["name"][:3], of["surname"][:5])
        return " ".join(parts[n % 3])

    def initials(n: int) -> str:
        of = people.one(n)
        one, two = of["name"][0], of["patronymic"][0]
        return (f"{of['surname']} {one}.{two}.", f"{one}. {of['surname']}", f"{of['surname']} {one}{two}")[n % 3]

    def ours_typing(n: int) -> dict[str, str]:
        """A form as it is filled in: the name, then the birth date, then the phone."""
        of = people.one(n)
        typed = {"surname": of["surname"], "name": of["name"]}
        typed |= {"birth_date": of["birth_date"].isoformat()} if n % 3 else {}
        return typed | ({"phone": of["phone"]} if n % 3 == 2 else {})

    def bare_typing(n: int) -> dict[str, str]:
        return {"surname": "", "name": "", "birth_date": "", "phone": ""} | ours_typing(n)

    def day(of: date) -> str:
        return f"{of:%d.%m.%Y}"

    with_io = people.with_io
    return [
        hard("words in any order", in_any_order),
        hard("initials", initials),
        hard("ё typed as е", lambda n: with_io[n % len(with_io)]["surname"].replace("ё", "е")),
        hard("wrong layout", lambda n: other_layout(people.one(n)["surname"].lower())),
        hard("Latin letters", lambda n: f"{latin(people.one(n)['surname'])} {latin(people.one(n)['name'])}"),
        hard("one typo", lambda n: mistyped(people.one(n)["surname"].lower(), n)),
        hard("phone in any format", lambda n: formats(people.one(n)["phone"], n)),
        hard("card number", lambda n: f"№ {people.one(n)['card_number']}" if n % 2 else str(people.one(n)["card_number"])),
        hard("birth date", lambda n: day(people.one(n)["birth_date"])),
        hard("guardian's phone", lambda n: formats(people.guardians[n % len(people.guardians)], n % 2)),
        hard("nobody", lambda n: ("щщщщщ пппп", "кузнецов щщщщщ", "xyzxyz")[n % 3]),
        Question("duplicates while typing", lambda n: get("/patients/twins", **ours_typing(n)),
                 lambda n: get("/twins", **bare_typing(n)), None, 5),
        Question("page of a search", lambda n: get("/patients/", q=names[n % len(names)][:4]), plain, None),
        Question("empty page", lambda n: get("/me/password"), lambda n: get("/page"), None),
        # the same facts as JSON on both sides; its page beside them
        Question("card", lambda n: get(f"/api/v1/patients/{patient(n)}"), lambda n: get("/card", id=patient(n)), 7.2, 2.5),
        Question("card, as a page", lambda n: get(f"/patients/{patient(n)}"), lambda n: get("/card", id=patient(n)), None),
    ]  # fmt: skip
