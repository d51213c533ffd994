"""Every sentence of the product is translated, in Russian and in English, and nothing raw reaches the screen."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None, "N_": None, "lazy_ngettext": (1, 2),
}  # fmt: skip


def extracted() -> Catalog:
    """All marked messages of the code and the pages."""
    catalog = Catalog()
    for _file, _line, message, _comments, _context in extract_from_dir(ROOT / "app", METHODS, keywords=KEYWORDS):
        catalog.add(message)
    return catalog


def catalogue(locale: str) -> Catalog:
    path = ROOT / "translations" / locale / "LC_MESSAGES" / "messages.po"
    return read_po(BytesIO(path.read_bytes()), locale=locale)


@pytest.mark.parametrize("locale", ["ru", "en"])
def test_complete(locale: str) -> None:
    known = catalogue(locale)
    missing = []
    for message in extracted():
        if not message.id:
            continue
        found = known.get(message.id)
        strings = found.string if found is not None else None
        forms = strings if isinstance(strings, list | tuple) else [strings]
        if found is None or found.fuzzy or not all(forms):
            missing.append(message.id)
    assert not missing, f"{len(missing)} untranslated: {missing[:40]}"


def test_russian_is_russian() -> None:
    """A translation that has no Cyrillic letter is a left-over, but for a few words."""
    same_everywhere = re.compile(r"^[\W\d_]*$|%\(|^(SMS|XLSX|CSV|PDF|API|№.*|E-mail|QR|X|UUID|JSON|OK)$")
    raw = [
        m.id
        for m in catalogue("ru")
        if m.id and not re.search("[а-яё]", str(m.string), re.I) and not same_everywhere.search(str(m.string))
    ]
    assert not raw, raw


def test_english_is_english() -> None:
    """Who has switched to English reads no Russian word that does not stand in the message itself."""

    def russian(text: object) -> set[str]:
        return set(re.findall("[а-яё]+", str(text), re.I))

    raw = [m.id for m in catalogue("en") if m.id and russian(m.string) - russian(m.id)]
    assert not raw, f"{len(raw)} in Russian: {raw[:40]}"


@pytest.mark.parametrize("locale", ["ru", "en"])
def test_placeholders_survive(locale: str) -> None:
    """What is filled in stands in the translation, too."""
    for message in catalogue(locale):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        wanted = set(re.findall(r"%\(\w+\)[sd]", ids[-1]))
        for string in strings:
            assert set(re.findall(r"%\(\w+\)[sd]", string)) == wanted, message.id
