"""A fiscal device that exists only as numbers: its queue, its shift, its drawer, what it printed.

The rules are those of the real one. Its state lies in a file, so that a restart loses nothing. Where next:
`simulator.py`, which puts it behind HTTP.
"""

import json
import secrets
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app import clock
from app.gateways.kkt.tasks import kopecks, roubles

#: What it can do wrong until it is told otherwise: no_paper, offline (closes the line), hang (a task stays
#: inProgress), error500, blocked (the queue stands), lost_answer (takes the task and drops the line), silent (takes
#: the task and says nothing for long), no_cash (says that its drawer has not the sum).
FAULTS = ("no_paper", "offline", "hang", "error500", "blocked", "lost_answer", "silent", "no_cash")
FISCAL = ("sell", "sellReturn", "buy", "buyReturn", "sellCorrection", "sellReturnCorrection")
#: What it counts in its drawer without a fiscal document.
DRAWER = ("cashIn", "cashOut")
SHIFT_HOURS = 24
_REG = "0000000001002292"


class Failed(Exception):
    """The device's own refusal: code and words."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code, self.description = code, description


def _fresh() -> dict[str, Any]:
    return {
        "fn": f"99990789{secrets.randbelow(10**8):08d}", "tasks": [],
        "shift": {"state": "closed", "number": 0, "opened_at": ""}, "cash": 0, "fd": 0, "receipts": 0,
        "totals": {}, "not_sent": 0, "fault": "", "times": 0,
    }  # fmt: skip


class Device:
    """The queue and the fiscal memory; `polls` is how many times a task is asked for before it is ready."""

    def __init__(self, file: Path | None = None, *, polls: int = 1) -> None:
        self._file, self._lock, self.polls = file, threading.RLock(), polls
        self.state = _fresh()
        if file is not None and file.exists():
            self.state |= json.loads(file.read_text(encoding="utf-8"))

    def _keep(self) -> None:
        if self._file is not None:
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(self.state, ensure_ascii=False), encoding="utf-8")
            fresh.replace(self._file)

    @property
    def tasks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.state["tasks"]
        return found

    @property
    def printed(self) -> list[dict[str, Any]]:
        """Fiscal documents, the oldest first."""
        return self._done(FISCAL)

    @property
    def counted(self) -> list[dict[str, Any]]:
        """What was paid into its drawer and out of it, the oldest first."""
        return self._done(DRAWER)

    @property
    def papers(self) -> list[dict[str, Any]]:
        """Both, as they came out of it."""
        return self._done(FISCAL + DRAWER)

    def _done(self, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
        return [task for task in self.tasks if task["status"] == "ready" and task["task"].get("type") in kinds]

    def fault(self, name: str, times: int = 1_000_000) -> None:
        """Misbehave so many times; an empty name: behave."""
        with self._lock:
            self.state |= {"fault": name, "times": times if name else 0}
            self._keep()

    def take_fault(self, *names: str) -> str:
        """The misdeed that is due now, when it is one of these; counted."""
        with self._lock:
            if self.state["fault"] not in names or self.state["times"] <= 0:
                return ""
            name: str = self.state["fault"]
            self.state["times"] -= 1
            if not self.state["times"]:
                self.state["fault"] = ""
            self._keep()
            return name

    def age(self, hours: float) -> None:
        """Let the open shift be so many hours older."""
        with self._lock:
            shift = self.state["shift"]
            if shift["opened_at"]:
                opened = datetime.fromisoformat(shift["opened_at"]) - timedelta(hours=hours)
                shift["opened_at"] = opened.isoformat()
                self._keep()

    def add(self, uuid: str, task: dict[str, Any]) -> dict[str, Any]:
        """Put a task in the queue; a known uuid gives the first task and changes nothing."""
        with self._lock:
            known = self.find(uuid)
            if known is None:
                known = {"uuid": uuid, "task": task, "status": "wait", "polls": 0, "code": 0, "why": "", "result": {}}
                self.tasks.append(known)
                self._keep()
            return known

    def find(self, uuid: str) -> dict[str, Any] | None:
        return next((task for task in self.tasks if task["uuid"] == uuid), None)

    def blocking(self) -> str:
        """The task that holds the queue up."""
        if self.state["fault"] not in ("blocked", "hang"):
            return ""
        return next((task["uuid"] for task in self.tasks if task["status"] in ("wait", "inProgress")), "")

    def poll(self, uuid: str) -> dict[str, Any] | None:
        """Ask for a task: the queue moves on by one step, in order."""
        with self._lock:
            asked = self.find(uuid)
            if asked is None:
                return None
            stands = self.state["fault"] in ("hang", "blocked")
            for task in self.tasks:
                if task["status"] not in ("wait", "inProgress"):
                    continue
                if self.state["fault"] == "blocked":
                    break
                task["status"] = "inProgress"
                task["polls"] += 1
                if stands:
                    break
                if task["polls"] >= self.polls:
                    self._run(task)
                if task is asked:
                    break
            self._keep()
            held = self.state["fault"] == "blocked" and asked["status"] in ("wait", "inProgress")
            return asked | {"status": "blocked"} if held else asked

    def _run(self, task: dict[str, Any]) -> None:
        try:
            task["result"] = self._do(task["task"])
            task["status"] = "ready"
        except Failed as failed:
            task.update(status="error", code=failed.code, why=failed.description)

    def shift_state(self) -> str:
        shift = self.state["shift"]
        return "expired" if shift["state"] == "opened" and clock.now() >= self.expires() else str(shift["state"])

    def expires(self) -> datetime:
        opened = self.state["shift"]["opened_at"]
        return (datetime.fromisoformat(opened) if opened else clock.now()) + timedelta(hours=SHIFT_HOURS)

    def _do(self, task: dict[str, Any]) -> dict[str, Any]:
        kind = str(task.get("type"))
        work = getattr(self, f"_{kind}", None)
        if kind in FISCAL:
            return self._receipt(kind, task)
        if kind in DRAWER:
            return self._cash(kind, kopecks(task.get("cashSum")))
        if work is None:
            raise Failed(10, "Неизвестное задание")
        return dict(work())

    def _paper(self) -> None:
        if self.take_fault("no_paper"):
            raise Failed(44, "Нет бумаги")

    def _openShift(self) -> dict[str, Any]:
        if self.shift_state() != "closed":
            raise Failed(82, "Смена открыта, операция невозможна")
        self._paper()
        number = self.state["shift"]["number"] + 1
        self.state["shift"] = {"state": "opened", "number": number, "opened_at": clock.now().isoformat()}
        self.state |= {"receipts": 0, "totals": {}}
        return {"fiscalParams": self._fiscal(), "warnings": {"notPrinted": False}}

    def _closeShift(self) -> dict[str, Any]:
        if self.shift_state() == "closed":
            raise Failed(73, "Смена закрыта, операция невозможна")
        self._paper()
        params = self._fiscal() | {"receiptsCount": self.state["receipts"]}
        self.state["shift"]["state"] = "closed"
        return {"fiscalParams": params, "warnings": {"notPrinted": False}}

    def _reportX(self) -> dict[str, Any]:
        self._paper()
        return {}

    def _nonFiscal(self) -> dict[str, Any]:
        self._paper()
        return {}

    def _fiscal(self) -> dict[str, Any]:
        self.state["fd"] += 1
        self.state["not_sent"] += 1
        return {
            "fiscalDocumentDateTime": clock.now().isoformat(timespec="seconds"),
            "fiscalDocumentNumber": self.state["fd"],
            "fiscalDocumentSign": str(1_000_000_007 * self.state["fd"] % 4_294_967_291),
            "fnNumber": self.state["fn"], "registrationNumber": _REG, "shiftNumber": self.state["shift"]["number"],
            "fnsUrl": "www.nalog.gov.ru",
        }  # fmt: skip

    def _in_shift(self) -> None:
        state = self.shift_state()
        if state == "expired":
            raise Failed(68, "Смена превысила 24 часа")
        if state != "opened":
            raise Failed(73, "Смена закрыта, операция невозможна")

    def _enough(self, amount: int) -> None:
        if amount > self.state["cash"] or (amount and self.take_fault("no_cash")):
            raise Failed(66, "Недостаточно наличных в денежном ящике")

    def _receipt(self, kind: str, task: dict[str, Any]) -> dict[str, Any]:
        self._in_shift()
        items, payments = task.get("items") or [], task.get("payments") or []
        if not items or not task.get("operator") or not task.get("taxationType"):
            raise Failed(4, "Неверные параметры чека")
        total = 0
        for item in (one for one in items if one.get("type") == "position"):
            if round(kopecks(item.get("price")) * item.get("quantity", 0)) != kopecks(item.get("amount")):
                raise Failed(4, "Стоимость не равна цене, умноженной на количество")
            if len(item.get("name", "")) > 128:
                raise Failed(4, "Слишком длинное наименование")
            total += kopecks(item.get("amount"))
        paid = {one["type"]: kopecks(one.get("sum")) for one in payments}
        cash = paid.get("cash", 0)
        other = sum(paid.values()) - cash
        if other > total:
            raise Failed(65, "Безналичная оплата больше суммы чека")
        if cash + other < total:
            raise Failed(64, "Сумма оплаты меньше суммы чека")
        cash = total - other
        back = kind in ("sellReturn", "sellReturnCorrection", "buy")
        if back:
            self._enough(cash)
        self._paper()
        self.state["cash"] += -cash if back else cash
        self.state["receipts"] += 1
        sums = self.state["totals"].setdefault(kind, {"count": 0, "sum": 0, "payments": {}})
        sums["count"] += 1
        sums["sum"] += total
        for way, share in (paid | {"cash": cash}).items():
            sums["payments"][way] = sums["payments"].get(way, 0) + share
        params = self._fiscal() | {"fiscalReceiptNumber": self.state["receipts"], "total": roubles(total)}
        return {"fiscalParams": params, "warnings": None}

    def _cash(self, kind: str, amount: int) -> dict[str, Any]:
        self._in_shift()
        if amount <= 0:
            raise Failed(4, "Неверная сумма")
        if kind == "cashOut":
            self._enough(amount)
        self._paper()
        self.state["cash"] += amount if kind == "cashIn" else -amount
        return self._counters()

    def _counters(self) -> dict[str, Any]:
        return {"counters": {"cashSum": roubles(self.state["cash"])}}

    def _getCashDrawerStatus(self) -> dict[str, Any]:
        return self._counters() | {"cashDrawerStatus": {"cashDrawerOpened": False}}

    def _getShiftStatus(self) -> dict[str, Any]:
        status = {"state": self.shift_state(), "number": self.state["shift"]["number"]}
        if status["state"] != "closed":
            status["expiredTime"] = self.expires().isoformat(timespec="seconds")
        return {"shiftStatus": status | {"documentsCount": self.state["receipts"]}}

    def _getDeviceStatus(self) -> dict[str, Any]:
        return {"deviceStatus": {
            "currentDateTime": clock.now().isoformat(timespec="seconds"), "shift": self.shift_state(),
            "blocked": False, "coverOpened": False, "paperPresent": self.state["fault"] != "no_paper", "fiscal": True,
            "fnFiscal": True, "fnPresent": True, "cashDrawerOpened": False,
        }}  # fmt: skip

    def _getShiftTotals(self) -> dict[str, Any]:
        def shown(kind: str) -> dict[str, Any]:
            sums = self.state["totals"].get(kind, {"count": 0, "sum": 0, "payments": {}})
            ways = {way: roubles(share) for way, share in sums["payments"].items()}
            return {"count": sums["count"], "sum": roubles(sums["sum"]), "payments": ways}

        cash = {"sum": roubles(self.state["cash"])}
        receipts = {kind: shown(kind) for kind in ("sell", "sellReturn", "buy", "buyReturn")}
        return {"shiftTotals": {"shiftNumber": self.state["shift"]["number"], "cashDrawer": cash, "receipts": receipts}}

    def _ofdExchangeStatus(self) -> dict[str, Any]:
        return {"status": {"notSentCount": self.state["not_sent"]}, "errors": {}, "warnings": {}}
