"""How a typed search is read: parts of names, the end of a phone, a card's number, a birth date.

What was typed in the wrong keyboard layout, in Latin letters, with run-together initials or with one wrong letter is
understood too, with the help of the words that the cards have. Where next: `../queries/search.py`.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from rapidfuzz.distance import OSA

#: So many digits at the end of a phone are enough to look for it.
TAIL = 4
#: Words of a search that are looked at; more is a pasted page.
MOST_WORDS = 6
#: A shorter word with a wrong letter may be any other.
SHORTEST_MISTAKE = 4

#: Hyphens and apostrophes part the words of a name; ё is searched as е.
_SEARCHABLE = str.maketrans("ё-'’ʼ‐–", "е      ")
_LATIN_KEYS = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
_RUSSIAN_KEYS = "ёйцукенгшщзхъфывапролджэячсмитьбю"
_TO_RUSSIAN = str.maketrans(_LATIN_KEYS + '~{}:"<>', _RUSSIAN_KEYS + "ёхъжэбю")
_KEYS = _LATIN_KEYS + '~{}:"<>-’'
_TO_LATIN = str.maketrans(_RUSSIAN_KEYS, _LATIN_KEYS)
_DATE = re.compile(r"(?<!\d)(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?!\d)")
#: A day as programs write it, and one whose parts stand apart; the latter only when there are no other digits.
_ISO_DATE = re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)")
_APART = re.compile(r"^\D*(\d{1,2})[\s,]+(\d{1,2})[\s,]+(\d{4})\D*$")
_MONTHS = ("янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
_IN_WORDS = re.compile(
    r"(?<!\d)(\d{1,2})[\s.-]*(янв|фев|мар|апр|ма(?=[йя])|июн|июл|авг|сен|окт|ноя|дек)[а-я]*[\s.-]*(\d{4})(?!\d)"
)
#: What people write around digits: «тел. 8 916…», «карта № 1024», «1985 г.р.»; it is no name.
_BEFORE_DIGITS = re.compile(
    r"(?<!\w)(?:тел|телефон|моб|мобильный|карт[аые]|номер|n|no)\.?\s*[:№#]?\s*(?=[\d+(])", re.IGNORECASE
)
_AFTER_DIGITS = re.compile(r"(?<=\d)\s*(?:г\.?\s*р\.?|года?(?:\s+рождения)?|г\.?)(?!\w)", re.IGNORECASE)
#: Latin letters that look Russian, in a word that has Russian ones: pasted from somewhere, not typed.
_LOOK_ALIKE = str.maketrans("aceopxykmhbtё", "асеорхукмнвтё")


def searchable(text: str) -> str:
    """A name as the card index compares it; the table's `search_name` is made the same way."""
    return text.lower().translate(_SEARCHABLE)


def old_key(number: str) -> str:
    """The number of an old card as it is compared: «№ 0123/а» is «123/а»; the table's `old_key` is made alike."""
    return re.sub(r"^0+(?=.)", "", re.sub(r"[\s№#]", "", number)).lower()


@dataclass(frozen=True)
class Wanted:
    """What a typed search asks for: beginnings of name words, the end of a phone, a card's number, a birth date.

    `old_number`: one word with a digit in it, which may be the number of an old card («А-123»), ready to be compared.
    `born` beside a `phone_tail` is another reading of the same digits; `as_typed` is what other readings start from.
    """

    words: tuple[str, ...] = ()
    phone_tail: str | None = None
    card_number: int | None = None
    born: date | None = None
    as_typed: tuple[str, ...] = ()
    old_number: str = ""

    @property
    def nothing(self) -> bool:
        return not (self.words or self.phone_tail or self.card_number is not None or self.born)


def wanted(text: str, today: date | None = None) -> Wanted:
    """Read a search: «петр ива», «45-67», «+7 916 …», «№ 1024», «иванов 12.03.1985».

    `today` tells which century two digits of a year mean; without it they are no date. Digits are the end of a phone
    when there are four or more, and may be a card's number; letters are beginnings of name parts in any order, ё as е.
    Digits beside words are a phone's end.
    """
    born, rest = _birth_date(_AFTER_DIGITS.sub(" ", _BEFORE_DIGITS.sub(" ", text[:200])), today)
    digits = re.sub(r"\D", "", rest)
    words = tuple(re.findall(r"[^\W\d_]+", searchable(rest)))[:MOST_WORDS]
    if len(digits) > 11 and digits.startswith("00"):
        digits = digits[2:]
    tail = digits if TAIL <= len(digits) <= 15 else None
    if tail and len(digits) == 11 and digits[0] == "8":
        tail = digits[1:]
    number = int(digits) if digits and not born and len(digits) < 10 and "+" not in text else None
    if words and tail is None:
        number = None
    if born is None and len(digits) in (6, 8) and digits == rest.strip():
        born = _day(int(digits[:2]), int(digits[2:4]), int(digits[4:]), today)
    keys = ("".join(key for key in part if key.isalpha() or key in _KEYS) for part in _of_one_script(rest).split())
    typed = tuple(part for part in keys if part)[:MOST_WORDS]
    one_word = digits and born is None and "+" not in text and len(re.sub("[№#]", " ", text).split()) == 1
    return Wanted(words, tail, number, born, typed, old_key(text) if one_word and len(text) <= 40 else "")


def _birth_date(text: str, today: date | None) -> tuple[date | None, str]:
    """The birth date that is written in a search, and the rest of it."""
    if found := _ISO_DATE.search(text):
        day, month, year = found["day"], found["month"], found["year"]
    elif found := _IN_WORDS.search(text.lower()):
        day, word, year = found.groups()
        month = str(_MONTHS.index(word) + 1)
    elif found := _DATE.search(text) or _APART.search(text):
        day, month, year = found.groups()
    else:
        return None, text
    born = _day(int(day), int(month), int(year), today)
    others = re.sub(r"\D", "", text[: found.start(1)] + text[found.end(3) :])
    if born is None or (len(year) == 2 and others):  # «916 777-12-34» is a phone
        return None, text
    return born, text[: found.start(1)] + " " + text[found.end(3) :]


def _of_one_script(text: str) -> str:
    """Words in which Latin letters stand among Russian ones, as Russian words."""

    def word(found: re.Match[str]) -> str:
        mixed = re.search(r"[а-яё]", found[0]) and re.search(r"[a-z]", found[0])
        return found[0].translate(_LOOK_ALIKE) if mixed else found[0]

    return re.sub(r"[^\W\d_]+", word, text.lower())


def _day(day: int, month: int, year: int, today: date | None = None) -> date | None:
    """A birth date; of two digits of a year, the last one that has passed."""
    if year < 100 and today is not None:
        year += 2000 if year <= today.year - 2000 else 1900
    if not 1900 <= year < 2100:
        return None
    with suppress(ValueError):
        return date(year, month, day)
    return None


# --- other readings, when nobody was found as it was typed ------------------------------------------------


def other_layout(text: str) -> str:
    """What the same keys write in the other layout: «bdfyjd» is «иванов», «ыьшер» is «smith»."""
    latin = re.search(r"[a-z]", text) or not re.search(r"[а-яё]", text)
    return text.translate(_TO_RUSSIAN if latin else _TO_LATIN)


#: Latin spellings of one Russian sound, longest first; the letters of i, y, j are left out on both sides, for every
#: passport writes them another way. The table's `name_word.latin` is made alike from Russian letters.
_SOUNDS = (
    ("shch", "w"), ("sch", "w"), ("sh", "w"), ("ch", "q"), ("zh", "z"), ("kh", "h"), ("ts", "c"), ("tz", "c"),
    ("ph", "f"), ("yo", "e"), ("jo", "e"), ("ck", "k"), ("x", "ks"), ("c", "k"), ("w", "v"), ("i", ""), ("y", ""),
    ("j", ""),
)  # fmt: skip


def sound(latin: str) -> str:
    """How a name in Latin letters sounds, roughly: «Shcherbakov» and «Scherbakov», «Yuriy» and «Iurii» are the same."""
    pattern = "|".join(spelling for spelling, _ in _SOUNDS)
    heard = re.sub(pattern, lambda found: dict(_SOUNDS)[found.group()], latin)
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[^a-z]", "", heard))


#: A name in Latin letters by the letters, for those who write «Kuznecov», «Jukov» or «Ivanof»; longest first.
_SPELLINGS = (
    ("shch", "щ"), ("sch", "щ"), ("sh", "ш"), ("ch", "ч"), ("zh", "ж"), ("kh", "х"), ("ts", "ц"), ("ya", "я"),
    ("ia", "ия"), ("yu", "ю"), ("iu", "ю"), ("yo", "е"), ("ye", "е"), ("iy", "ий"), ("ey", "ей"), ("ay", "ай"),
    ("oy", "ой"), *zip("abcdefghijklmnopqrstuvwxyz", "абцдефгхижклмнопкрстуввхыз", strict=True),
)  # fmt: skip


def spelled(latin: str) -> str:
    """A Latin word in Russian letters, one by one."""
    pattern = "|".join(spelling for spelling, _ in _SPELLINGS)
    return re.sub(pattern, lambda found: dict(_SPELLINGS)[found.group()], latin)


@dataclass(frozen=True)
class Doubtful:
    """A typed word that may mean another: by its keys (`layout`), by its `sound` when it is Latin, by one letter.

    `guesses` are the spellings in which a letter may be wrong: as typed, by the keys, in Russian letters; none when too
    short to tell.
    """

    typed: str
    layout: str
    sound: str
    spelled: str = ""
    guesses: tuple[str, ...] = ()


def doubtful(asked: Wanted) -> tuple[Doubtful, ...]:
    """The words of a search, to be compared with the words that the cards have."""
    found = []
    for part in asked.as_typed:
        words, swapped = re.findall(r"[^\W\d_]+", searchable(part)), searchable(other_layout(part)).split()
        if re.search(r"[а-яё]", part):
            swapped = [searchable(other_layout(word)) for word in words]
        # «;erjd» holds a word of fewer letters than its keys mean
        pairs = zip(words, swapped, strict=True) if len(words) == len(swapped) else ((word, word) for word in swapped)
        for word, layout in pairs:
            latin = bool(re.fullmatch(r"[a-z]+", word))
            russian = spelled(word) if latin else ""
            guesses = (layout, russian, word) if latin or not word.isalpha() else (word,)
            whole = dict.fromkeys(one for one in guesses if len(one) >= SHORTEST_MISTAKE and one.isalpha())
            found.append(Doubtful(word, layout, sound(word) if latin else "", russian, tuple(whole)))
    return tuple(found[:MOST_WORDS])


def meant(word: Doubtful, known: Iterable[tuple[str, str]]) -> list[str]:
    """Of the words that the cards have (with how they sound), those that this one may mean; the likeliest first.

    What sounds just like it leaves nothing to guess. A word that begins as one before it is found with that one.
    """
    ranked: dict[str, int] = {}
    for have, latin in known:
        if have.startswith((word.typed, word.layout)):
            ranked[have] = 0
        elif word.sound and latin.startswith(word.sound):
            ranked[have] = 1 if latin == word.sound else 2
        elif word.spelled and have.startswith(word.spelled):
            ranked[have] = 2
        elif any(_one_wrong(guess, have) for guess in word.guesses):
            ranked[have] = 3
    exact = 1 in ranked.values()
    found: list[str] = []
    for have in sorted(ranked, key=lambda have: (ranked[have], len(have), have)):
        if not (exact and ranked[have] > 1) and not have.startswith(tuple(found)):
            found.append(have)
    return found


def one_wrong(typed: str, have: str) -> bool:
    """Is the word the typed one with one letter wrong, missing, extra, or two of them swapped?"""
    return len(typed) >= SHORTEST_MISTAKE and OSA.distance(typed, have, score_cutoff=1) <= 1


def _one_wrong(typed: str, have: str) -> bool:
    """The same of the word, or of as long a beginning of it."""
    beginnings = [n for n in (len(typed) - 1, len(typed), len(typed) + 1) if len(typed) > 5 and n <= len(have)]
    return any(one_wrong(typed, have[:n]) for n in (len(have), *beginnings))


def choices(words: Sequence[Doubtful], known: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """For each typed word the beginnings of name words that it may mean; two letters may be two initials: «м с»."""
    known, found = list(known), []
    for word in words:
        means = meant(word, known)[:20]
        if len(word.typed) == 1:
            means = [word.typed, word.layout]
        elif len(word.typed) == 2:
            means += [" ".join(word.typed), " ".join(word.layout)]
        found.append(tuple(dict.fromkeys(means or [word.typed])))
    return tuple(found)


def like(word: str) -> str:
    """A word for a LIKE pattern, its special characters taken literally."""
    return re.sub(r"([\\%_])", r"\\\1", word)
