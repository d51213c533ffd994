"""The simulator's pages: all phones and the misdeeds of the gateway; one phone, played by a person."""

import re
from html import escape
from typing import Any, Protocol
from urllib.parse import quote


class Shown(Protocol):
    """What the pages show of the gateway."""

    messages: list[dict[str, Any]]
    replies: list[dict[str, Any]]
    faults: list[str]
    status: int


_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 0 auto; max-width: 900px; padding: 20px; background: #f3f5f7 }
h1 { font-size: 21px } table { border-collapse: collapse; width: 100%; background: #fff }
td, th { padding: 6px 10px; border-top: 1px solid #dde3e8; text-align: left; vertical-align: top }
form { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 12px 0 }
input, select, button { font: inherit; padding: 6px 10px } .phone { max-width: 420px; margin: 0 auto }
.in, .out { padding: 8px 12px; border-radius: 12px; margin: 8px 0; max-width: 85%; overflow-wrap: anywhere }
.in { background: #fff; border: 1px solid #dde3e8 } .out { background: #cfe8ff; margin-left: auto }
small { display: block; color: #6a7885 }
"""
_FAULT_WORDS = {
    "": "работает исправно",
    "hang_before": "молчит и не принимает",
    "hang_after": "принимает и молчит",
    "lost_answer": "принимает, ответ теряется",
    "nonsense": "отвечает бессмыслицей",
    "error:3": "нет денег на счёте",
    "error:7": "номер неверный",
    "error:2": "не узнаёт логин и пароль",
}
_STATUS_WORDS = {1: "доставлено", 0: "передано оператору", 25: "телефон недоступен", 20: "доставить невозможно"}


def _whole(body: str) -> str:
    head = '<!DOCTYPE html><html lang="ru"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return f"{head}<title>СМС-шлюз (имитация)</title><style>{_STYLE}</style>{body}"


def _choice(name: str, words: dict[Any, str], chosen: Any) -> str:
    options = "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{word}' for value, word in words.items()
    )
    return f'<select name="{name}">{options}</select>'


def overview(outbox: Shown) -> str:
    """Every phone that was written to, the newest message first; the switch of misdeeds."""
    phones: dict[str, list[dict[str, Any]]] = {}
    for message in reversed(outbox.messages[-2000:]):
        phones.setdefault(message["phone"], []).append(message)
    rows = "".join(
        f'<tr><td><a href="/?phone={quote(phone)}">+{escape(phone)}</a><td>{len(told)}'
        f"<td>{escape(told[0]['at'][11:16])}"
        f"<td>{escape(told[0]['text'])}"
        for phone, told in list(phones.items())[:300]
    )
    fault = outbox.faults[0] if outbox.faults else ""
    switch = (
        f'<form method="post" action="/faults"><input type="hidden" name="page" value="1">Шлюз '
        f"{_choice('fault', _FAULT_WORDS, fault)} раз: "
        f'<input name="times" value="{len(outbox.faults) or 1}" size="3" inputmode="numeric"> О доставке говорит: '
        f"{_choice('status', _STATUS_WORDS, outbox.status)} <button>Переключить</button></form>"
    )
    empty = "" if rows else "<tr><td colspan=4>Сообщений ещё не было."
    return _whole(
        f"<h1>СМС-шлюз (имитация): {len(outbox.messages)}</h1>{switch}"
        f"<table><tr><th>Телефон<th>СМС<th>Время<th>Последнее{rows}{empty}</table>"
    )


def conversation(outbox: Shown, phone: str) -> str:
    """One phone: what came, what was answered, a line to answer in."""
    lines = [(message["at"], "in", message["text"]) for message in outbox.messages if message["phone"] == phone]
    for reply in outbox.replies:
        if reply["phone"] == phone:
            day, _, hour = reply["received"].partition(" ")
            lines.append(("-".join(reversed(day.split("."))) + f"T{hour}", "out", reply["message"]))
    shown = "".join(
        f'<div class="{kind}">{_linked(text)}<small>{escape(at.replace("T", " "))}</small></div>'
        for at, kind, text in sorted(lines)
    )
    quick = "".join(f'<button name="text" value="{word}">{word}</button>' for word in ("Да", "Нет", "Стоп"))
    hidden = f'<input type="hidden" name="phone" value="{escape(phone)}">'
    return _whole(
        f'<div class="phone"><p><a href="/">← все телефоны</a><h1>+{escape(phone)}</h1>{shown}'
        f'<form method="post" action="/reply">{hidden}{quick}</form>'
        f'<form method="post" action="/reply">{hidden}<input name="text" required autofocus placeholder="Ответить…">'
        "<button>Отправить</button></form></div>"
    )


def _linked(text: str) -> str:
    return re.sub(r"(https?://[^\s<]+)", r'<a href="\1">\1</a>', escape(text))
