"""The simulated device's page: the paper that it printed, the newest on top, and the switch of its misdeeds."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any, Protocol

from app import clock
from app.gateways.kkt.tasks import kopecks


class Shown(Protocol):
    """What the page shows of the device."""

    state: dict[str, Any]

    @property
    def papers(self) -> list[dict[str, Any]]: ...

    def shift_state(self) -> str: ...


_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 0 auto; max-width: 900px; padding: 20px; background: #f3f5f7 }
h1 { font-size: 21px } form { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 12px 0 }
input, select, button { font: inherit; padding: 6px 10px }
.paper { background: #fff; width: 340px; max-width: 100%; box-sizing: border-box; margin: 16px 0; padding: 16px;
  font: 13px/1.35 monospace; box-shadow: 0 1px 4px #0003; overflow-wrap: anywhere }
.paper p { margin: 4px 0 } .row { display: flex; justify-content: space-between; gap: 12px } .row b:last-child,
.row span:last-child { white-space: nowrap } .mid { text-align: center } hr { border: 0; border-top: 1px dashed #888 }
"""
_FAULTS = {
    "": "работает исправно",
    "no_paper": "нет бумаги",
    "offline": "выключена",
    "hang": "зависает на задании",
    "error500": "отвечает ошибкой 500",
    "blocked": "очередь заблокирована",
    "lost_answer": "принимает, ответ теряется",
    "silent": "принимает и молчит",
    "no_cash": "говорит, что в ящике мало денег",
}
_SHIFT = {"opened": "открыта", "closed": "закрыта", "expired": "длится больше 24 часов"}
_KIND = {
    "sell": "ПРИХОД", "sellReturn": "ВОЗВРАТ ПРИХОДА", "sellCorrection": "КОРРЕКЦИЯ ПРИХОДА",
    "sellReturnCorrection": "КОРРЕКЦИЯ ВОЗВРАТА ПРИХОДА",
}  # fmt: skip
_DRAWER = {"cashIn": "ВНЕСЕНИЕ", "cashOut": "ВЫПЛАТА"}
_WAYS = {
    "cash": "НАЛИЧНЫМИ", "electronically": "БЕЗНАЛИЧНЫМИ", "prepaid": "ПРЕДВАРИТЕЛЬНАЯ ОПЛАТА (АВАНС)",
    "credit": "ПОСЛЕДУЮЩАЯ ОПЛАТА (КРЕДИТ)",
}  # fmt: skip
_METHODS = {
    "fullPayment": "ПОЛНЫЙ РАСЧЕТ", "advance": "АВАНС", "partialPayment": "ЧАСТИЧНЫЙ РАСЧЕТ И КРЕДИТ",
    "creditPayment": "ОПЛАТА КРЕДИТА", "fullPrepayment": "ПРЕДОПЛАТА 100%", "credit": "ПЕРЕДАЧА В КРЕДИТ",
}  # fmt: skip


def _sum(roubles: Any) -> str:
    return f"{kopecks(roubles) / 100:.2f}"


def _row(left: str, right: str, tag: str = "span") -> str:
    return f'<div class="row"><{tag}>{escape(left)}</{tag}><{tag}>{escape(right)}</{tag}></div>'


def _receipt(done: dict[str, Any]) -> str:
    task, params = done["task"], done["result"]["fiscalParams"]
    items = "".join(
        f"<p>{escape(str(item.get('name', '')))}</p>"
        + _row(f"{item.get('quantity', 0):g} × {_sum(item.get('price'))}", f"={_sum(item.get('amount'))}")
        + f"<div>{_METHODS.get(item.get('paymentMethod'), '')}</div>"
        for item in task.get("items", [])
        if item.get("type") == "position"
    )
    paid = "".join(_row(_WAYS.get(one.get("type"), "ИНОЕ"), f"={_sum(one.get('sum'))}") for one in task["payments"])
    at = clock.wall(datetime.fromisoformat(params["fiscalDocumentDateTime"]))
    client = str(task.get("clientInfo", {}).get("emailOrPhone", ""))
    return (
        f'<article class="paper"><p class="mid"><b>КАССОВЫЙ ЧЕК<br>{_KIND.get(task["type"], escape(task["type"]))}</b>'
        f"<p>Кассир {escape(task['operator'].get('name', ''))}<hr>{items}<hr>"
        f"{_row('ИТОГ', '=' + _sum(params['total']), 'b')}{paid}<hr>{client and _row('ЭЛ. АДР. ПОКУПАТЕЛЯ', client)}"
        f"{_row('Смена ' + str(params['shiftNumber']), 'Чек ' + str(params['fiscalReceiptNumber']))}"
        f"{_row(f'{at:%d.%m.%Y %H:%M}', 'СНО ' + str(task.get('taxationType', '')))}"
        f"{_row('РН ККТ', params['registrationNumber'])}{_row('ФН', params['fnNumber'])}"
        f"{_row('ФД ' + str(params['fiscalDocumentNumber']), 'ФП ' + params['fiscalDocumentSign'])}</article>"
    )


def _slip(done: dict[str, Any]) -> str:
    """Cash paid into the drawer or out of it: no fiscal document."""
    task, left = done["task"], done["result"]["counters"]["cashSum"]
    return (
        f'<article class="paper"><p class="mid"><b>{_DRAWER[task["type"]]}</b>'
        f"<p>Кассир {escape(task['operator'].get('name', ''))}<hr>"
        f"{_row('СУММА', '=' + _sum(task['cashSum']), 'b')}{_row('В ЯЩИКЕ', '=' + _sum(left))}</article>"
    )


def paper(device: Shown, name: str = "", others: Sequence[str] = ()) -> str:
    """Everything of one device on one page, and the way to the others."""
    state = device.state
    options = "".join(
        f'<option value="{value}"{" selected" if value == state["fault"] else ""}>{word}'
        for value, word in _FAULTS.items()
    )
    ways = " ".join(f'<a href="/{one}">ККТ {one}</a>' for one in others)
    base = f"/{name}" if name else ""
    title = f"ККТ {name} (имитация)".replace("  ", " ")
    papers = reversed(device.papers[-50:])
    receipts = "".join(_slip(done) if done["task"]["type"] in _DRAWER else _receipt(done) for done in papers)
    return (
        '<!DOCTYPE html><html lang="ru"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>{ways and f'<p>{ways}'}"
        f"<p>Смена № {state['shift']['number']} {_SHIFT[device.shift_state()]} · в ящике {state['cash'] / 100:.2f} ₽ · "
        f"последний ФД {state['fd']}</p>"
        f'<form method="post" action="{base}/faults"><input type="hidden" name="page" value="1">Касса '
        f'<select name="fault">{options}</select> раз: <input name="times" size="4" placeholder="всегда"> '
        'смена старше на, ч: <input name="hours" size="4"> <button>Переключить</button></form>'
        f"{receipts or '<p>Чеков ещё не было.'}"
    )
