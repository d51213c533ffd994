"""What a patient means by a reply: «да», «нет», «стоп», or something that a person must read.

Plain text in, a meaning out. Better not understood than understood wrongly: «да, но в 15:00» is not a yes.
"""

import re
import unicodedata
from itertools import pairwise

from app.vocab import ReplyMeaning


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_YES = _listed(
    "да ага угу ок окей оке хорошо подтверждаю подтвержден подтверждено согласен согласна приду придем приедем приеду"
    " буду будем конечно обязательно yes yep yeah ok okay da y д 1 верно точно непременно"
)
_NO = _listed("нет неа не-а no net nope n н 0 отмена отменить отмените отменяю отменяем отказ отказываюсь отменяется")
_STOP = _listed("стоп stop отписаться отпишите отписка отпишусь unsubscribe")
#: Words beside a yes that change nothing.
_POLITE = _listed(
    "спасибо благодарю пожалуйста здравствуйте добрый день вечер утро я мы вовремя все вам и к на прием приеме запись"
    " визит thanks thank you большое в силе до встречи жду ждите отлично супер"
)
#: «Не приду», «не смогу», «не получится»: with the word after «не».
_CANNOT = _listed("приду придем приеду приедем смогу сможем могу можем буду будем получится получается успею успеваю")
#: Words long enough for a typo to be told from another word.
_LONG = 5
_EMOJI = {
    "👍": "да", "👌": "да", "✅": "да", "✔": "да", "☑": "да", "🆗": "ок", "🤝": "да",
    "👎": "нет", "❌": "нет", "🚫": "нет", "✖": "нет", "⛔": "нет", "🙅": "нет",
}  # fmt: skip
#: Latin letters that look like Cyrillic ones, in a word that has Cyrillic letters too.
_LOOKALIKE = str.maketrans("aceopxykhmtb", "асеорхукнмтв")
#: The keys of the Russian layout, typed with the Latin one.
_LAYOUT = str.maketrans("qwertyuiop[]asdfghjkl;'zxcvbnm,.", "йцукенгшщзхъфывапролджэячсмитьбю")
_CYRILLIC = re.compile("[а-я]")


def meaning(text: str) -> ReplyMeaning:
    """What a reply says."""
    words = _words(text)
    if not words:
        return ReplyMeaning.UNKNOWN
    if words[0] in _STOP or (len(words) <= 4 and any(word in _STOP for word in words)):
        return ReplyMeaning.STOP
    no = words[0] in _NO or _says_cannot(words)
    rest = _without_cannot(words)
    yes = any(word in _YES for word in rest)
    if no:
        return ReplyMeaning.UNKNOWN if yes else ReplyMeaning.NO
    if yes and all(word in _YES or word in _POLITE for word in rest) and len(rest) == len(words):
        return ReplyMeaning.YES
    if len(words) <= 3 and any(word in _NO for word in words) and not yes:
        return ReplyMeaning.NO
    return ReplyMeaning.UNKNOWN


def _says_cannot(words: list[str]) -> bool:
    return any(word == "не" and following in _CANNOT for word, following in pairwise(words))


def _without_cannot(words: list[str]) -> list[str]:
    """The words without «не» and what it denies."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "не":
            skip = True
        else:
            kept.append(word)
    return kept


def _words(text: str) -> list[str]:
    """The words as the lists above have them: small letters, no punctuation, emoji and lone signs as words."""
    text = unicodedata.normalize("NFKC", text[:1000]).casefold().replace("ё", "е")
    if text.strip() in ("+", "++", "+++"):
        return ["да"]
    if re.fullmatch(r"\s*[-‐-―−]+\s*", text):
        return ["нет"]
    for sign, word in _EMOJI.items():
        text = text.replace(sign, f" {word} ")
    found = re.findall(r"[a-zа-я]+(?:-[a-zа-я]+)?|\d+|[a-z;\[\]'.,]+", text)
    return [_plain(word) for word in found if word.strip(".,;'[]")]


def _plain(word: str) -> str:
    """A word without stretched letters («дааа»), look-alikes, the wrong layout, and one slip of a finger."""
    known = _YES | _NO | _STOP | _POLITE | _CANNOT
    if word in known or word == "не":
        return word
    tries = [re.sub(r"(.)\1+", r"\1", word)]
    tries.append(tries[0].translate(_LOOKALIKE) if _CYRILLIC.search(word) else word.translate(_LAYOUT))
    for tried in tries:
        if tried in known or tried == "не":
            return tried
    if len(word) >= _LONG:
        for one in sorted(known, key=len, reverse=True):
            if len(one) >= _LONG and _one_slip(tries[0], one):
                return one
    return word


def _one_slip(word: str, meant: str) -> bool:
    """Is it the same word but for one letter more, less, other, or two that changed places?"""
    if abs(len(word) - len(meant)) > 1 or word == meant:
        return word == meant
    start = 0
    while start < min(len(word), len(meant)) and word[start] == meant[start]:
        start += 1
    w, m = word[start:], meant[start:]
    return w[1:] == m[1:] or w[1:] == m or w == m[1:] or (w[:2] == m[1::-1] and w[2:] == m[2:] and len(m) > 1)
