"""The identity document of a card: what its parts may be, and how it reads in one line.

The codes of the kinds are the tax office's (КНД 1151156). All seven parts are one unit: they are checked, merged and
shown together. Where next: `cards.py`.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from app.errors import Invalid
from app.vocab import N_, IdentityType

PARTS = ("type", "series", "number", "issued_by", "issued_on", "dept_code", "text")
#: The parts as the card's fields are called.
IDENTITY = tuple(f"identity_{part}" for part in PARTS)
EMPTY: dict[str, Any] = {name: None if name in ("identity_type", "identity_issued_on") else "" for name in IDENTITY}

#: Russian letters that a Roman numeral is typed with.
_TO_ROMAN = str.maketrans("ІХУСЛ", "IXVCL")
_BIRTH_SERIES = re.compile(r"([IVXLCІХУСЛ]+)[\s-]*([А-ЯЁ]{2})")
#: A line that says nothing but «45 10 123456».
_PLAIN = re.compile(
    r"\s*(?:паспорт\s*(?:рф|гражданина рф)?[:,]?\s*)?(?:серия\s*)?"
    r"([0-9]{2})\s?([0-9]{2})[\s,]*(?:№|номер|N)?\s*([0-9]{6})\s*\.?\s*",
    re.IGNORECASE,
)
#: As papers call them, with "issued" in the gender of the word.
_WORDS = {
    IdentityType.PASSPORT: ("паспорт РФ", "выдан"),
    IdentityType.BIRTH_CERTIFICATE: ("свидетельство о рождении", "выдано"),
    IdentityType.FOREIGN_PASSPORT: ("иностранный паспорт", "выдан"),
    IdentityType.RESIDENCE_PERMIT: ("вид на жительство", "выдан"), IdentityType.MILITARY_ID: ("военный билет", "выдан"),
    IdentityType.OTHER: ("документ", "выдан"),
}  # fmt: skip


def from_line(line: str) -> dict[str, Any]:
    """A document typed as one line: four and six digits are a passport of Russia, anything else stays a text."""
    found = _PLAIN.fullmatch(line)
    if found is None:
        return {**EMPTY, "identity_text": line.strip()}
    series, number = found[1] + found[2], found[3]
    return {**EMPTY, "identity_type": str(IdentityType.PASSPORT), "identity_series": series, "identity_number": number}


def identity(given: Mapping[str, Any], birth_date: date | None, today: date) -> dict[str, Any]:
    """All parts of a document as they are kept; `given` has them by the card's field names.

    A passport of Russia has 4 + 6 digits, a birth certificate Roman numerals, two Russian letters and 6 digits.

    Raises:
        Invalid: at the part that cannot be right.
    """
    kept: dict[str, Any] = {name: _tidy(given.get(name)) for name in IDENTITY}
    kept["identity_text"] = str(given.get("identity_text") or "").strip()
    kind = kept["identity_type"] = kept["identity_type"] or None
    issued = kept["identity_issued_on"] = given.get("identity_issued_on") or None
    wrong: dict[str, str] = {}
    if kind is None:
        if any(kept[name] for name in IDENTITY if name != "identity_text"):
            wrong["identity_type"] = N_("Choose the kind of the document.")
    elif kind not in set(IdentityType):
        wrong["identity_type"] = N_("Unknown value.")
    elif kind == IdentityType.PASSPORT:
        wrong |= _passport(kept)
    elif kind == IdentityType.BIRTH_CERTIFICATE:
        wrong |= _birth_certificate(kept)
    elif not kept["identity_number"]:
        wrong["identity_number"] = N_("Fill in this field.")
    if kept["identity_dept_code"] and kind != IdentityType.PASSPORT:
        wrong["identity_dept_code"] = N_("Only a passport of Russia has a department code.")
    if issued and issued > today:
        wrong["identity_issued_on"] = N_("This day has not come yet.")
    elif issued and birth_date and issued < birth_date:
        wrong["identity_issued_on"] = N_("The document was issued before the patient was born.")
    if wrong:
        raise Invalid(fields=wrong)
    return kept


def _tidy(value: Any) -> str:
    return " ".join(str(value or "").split())


def _passport(kept: dict[str, Any]) -> dict[str, str]:
    """Makes the digits plain; {field: sentence} of what is wrong."""
    wrong = {}
    for name, many, said in (
        ("identity_series", 4, N_("The series of a passport has 4 digits: 45 10.")),
        ("identity_number", 6, N_("The number of a passport has 6 digits.")),
    ):
        kept[name] = re.sub(r"[\s№-]", "", kept[name])
        if not re.fullmatch(rf"[0-9]{{{many}}}", kept[name]):
            wrong[name] = said
    code = re.sub(r"[\s-]", "", kept["identity_dept_code"])
    if code and not re.fullmatch(r"[0-9]{6}", code):
        wrong["identity_dept_code"] = N_("A department code has 6 digits: 770-001.")
    elif code:
        kept["identity_dept_code"] = f"{code[:3]}-{code[3:]}"
    return wrong


def _birth_certificate(kept: dict[str, Any]) -> dict[str, str]:
    wrong = {}
    series = _BIRTH_SERIES.fullmatch(kept["identity_series"].upper())
    if series is None:
        wrong["identity_series"] = N_("The series of a birth certificate is written as II-МЮ.")
    else:
        kept["identity_series"] = f"{series[1].translate(_TO_ROMAN)}-{series[2]}"
    kept["identity_number"] = re.sub(r"[\s№]", "", kept["identity_number"])
    if not re.fullmatch(r"[0-9]{6}", kept["identity_number"]):
        wrong["identity_number"] = N_("The number of a birth certificate has 6 digits.")
    return wrong


def identity_line(kept: Mapping[str, Any]) -> str:
    """The document in one line, as papers write it; what was typed as a line stands there as it was typed."""
    if not kept["identity_type"]:
        return str(kept["identity_text"])
    word, issued = _WORDS[IdentityType(kept["identity_type"])]
    series = str(kept["identity_series"])
    if kept["identity_type"] == IdentityType.PASSPORT:
        series = f"{series[:2]} {series[2:]}"
    on, by = kept["identity_issued_on"], kept["identity_issued_by"]
    when = " ".join(filter(None, (issued, f"{on:%d.%m.%Y}" if on else "", by))) if on or by else ""
    code = f"код подразделения {kept['identity_dept_code']}" if kept["identity_dept_code"] else ""
    line = ", ".join(filter(None, (" ".join(filter(None, (word, series, kept["identity_number"]))), when, code)))
    return "; ".join(filter(None, (line, str(kept["identity_text"]))))
