"""The spare sheets: kept fresh, never half a file, for who may see everything that stands on them."""

import io
import os
import signal
import stat
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest

from app import clock, pdf
from app.db import session, transaction
from app.models import Appointment, Branch
from app.schedule import jobs, papers, queries, spare

#: A Friday of a time when nobody else books, so that "tomorrow" is what a test makes of it.
NOW = datetime(2033, 3, 4, 10, 42)


@pytest.fixture
def folder(app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the sheets, and the clock on a quiet day."""
    monkeypatch.setitem(app.config, "SPARE_DIR", str(tmp_path / "spare"))
    with clock.at(NOW):
        yield tmp_path / "spare"


@pytest.fixture
def branch(make: Any) -> Any:
    """A branch with a doctor, two visits today and one on Monday."""
    made = make.branch()
    made.name = session.get_one(Branch, made.id).name
    made.doctor = make.doctor(made.id)
    for day in (NOW, NOW + timedelta(days=3)):
        make.hours(made.doctor, day.date(), time(9), time(13), made.id, made.chair_id)
    made.patient = make.patient("Запаснова", phone="+79160009988")
    made.visit = make.appointment(
        made.patient, made.doctor, NOW.replace(hour=9, minute=0), branch_id=made.id, chair_id=made.chair_id,
        comment="снимок с собой",
    )  # fmt: skip
    make.appointment(
        make.patient("Понедельникова"), made.doctor, NOW.replace(hour=12, minute=0) + timedelta(days=3),
        branch_id=made.id,
    )  # fmt: skip
    make.appointment(
        make.patient("Вторникова"), made.doctor, NOW.replace(hour=12) + timedelta(days=4), branch_id=made.id
    )
    return made


def told(path: Path) -> str:
    made = path.read_bytes()
    assert not pdf.lost_letters(made)
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).split())


def sheet_of(folder: Path, branch: Any) -> Path:
    return spare.files(folder)[branch.id].path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_sheet_tells_today_and_the_next_working_day(folder: Path, branch: Any, make: Any) -> None:
    jobs.keep_spare_sheets()
    path = sheet_of(folder, branch)
    assert path.name == f"Расписание {branch.id} {branch.name}.pdf"
    said = told(path)
    for must in (
        f"Запасной лист: {branch.name}", "Составлено 04.03.2033 10:42", "пятница, 4 марта 2033 г.",
        "понедельник, 7 марта 2033 г.", "Запаснова Иван Петрович", "+7 916 000-99-88", "снимок с собой",
        "Понедельникова", "Кресло 1", "09:30–13:00 свободно", "Долг, ₽", "стр. 1 из",
    ):  # fmt: skip
        assert must in said, must
    assert "Вторникова" not in said
    assert (mode(folder), mode(path), mode(folder / "spare.json")) == (0o700, 0o600, 0o600)
    assert not list(folder.glob(".spare-*"))


def test_a_branch_without_anything_says_so(folder: Path, make: Any) -> None:
    empty = make.branch()
    jobs.keep_spare_sheets()
    assert "никто не принимает" in told(sheet_of(folder, empty))


def test_only_what_changed_is_written_anew(folder: Path, branch: Any, make: Any) -> None:
    other = make.branch()
    assert {branch.id, other.id} <= set(spare.refresh(folder))
    path = sheet_of(folder, branch)
    first = path.read_bytes(), path.stat().st_ino
    with clock.at(NOW + timedelta(minutes=6)):
        assert spare.refresh(folder) == []
        kept = spare.files(folder)[branch.id]
        assert (path.read_bytes(), path.stat().st_ino) == first
        assert clock.wall(kept.made_at) == NOW and clock.wall(kept.checked_at) == NOW + timedelta(minutes=6)
        assert kept.minutes_old == 0
    with transaction():
        session.get_one(Appointment, branch.visit.id).comment = "перезвонить"
    with clock.at(NOW + timedelta(minutes=8)):
        assert spare.refresh(folder) == [branch.id]
        assert "перезвонить" in told(path) and "10:50" in told(path)
    with clock.at(NOW + timedelta(minutes=30)):
        kept = spare.files(folder)[branch.id]
        assert kept.minutes_old == 22 and kept.is_stale


def test_a_new_day_is_a_new_sheet(folder: Path, branch: Any) -> None:
    spare.refresh(folder)
    with clock.at(NOW + timedelta(days=3)):
        assert branch.id in spare.refresh(folder)
        said = told(sheet_of(folder, branch))
    assert "понедельник, 7 марта" in said and "вторник, 8 марта" in said and "4 марта" not in said


def test_a_lost_file_is_made_again(folder: Path, branch: Any) -> None:
    spare.refresh(folder)
    sheet_of(folder, branch).unlink()
    assert branch.id not in spare.files(folder)
    assert branch.id in spare.refresh(folder)
    for rubbish in (b"", b"{", b"[1]", b'{"1": {"file": "../../etc/passwd", "version": "", "made_at": "x"}}'):
        (folder / "spare.json").write_bytes(rubbish)
        assert spare.files(folder) == {}
        assert branch.id in spare.refresh(folder)


def test_a_renamed_branch_leaves_no_second_sheet(folder: Path, branch: Any, make: Any) -> None:
    spare.refresh(folder)
    (folder / "Чужое.pdf").write_bytes(b"mine")
    old = sheet_of(folder, branch)
    with transaction():
        session.get_one(Branch, branch.id).name = f"../Новый/{branch.id}: «Южный»"
    spare.refresh(folder)
    new = sheet_of(folder, branch)
    assert new.parent == folder and "/" not in new.name and "Южный" in new.name and not old.exists()
    with transaction():
        session.get_one(Branch, branch.id).archived = True
    spare.refresh(folder)
    assert branch.id not in spare.files(folder) and not new.exists()
    assert (folder / "Чужое.pdf").exists()


def test_what_cannot_be_drawn_keeps_the_last_good_one(
    folder: Path, branch: Any, make: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = make.branch()
    spare.refresh(folder)
    good = sheet_of(folder, branch).read_bytes()
    draw = papers.spare

    def broken(sheet: queries.SpareBranch, **kwargs: Any) -> bytes:
        if sheet.id == branch.id:
            raise ValueError("Запаснова Иван Петрович")
        return draw(sheet, **kwargs)

    monkeypatch.setattr(papers, "spare", broken)
    with transaction():
        session.get_one(Appointment, branch.visit.id).comment = "новое"
        session.get_one(Branch, other.id).phone = "+74950000000"
    assert spare.refresh(folder) == [other.id]
    assert sheet_of(folder, branch).read_bytes() == good
    assert "Запаснова" not in caplog.text and f"branch {branch.id}" in caplog.text
    monkeypatch.undo()
    assert branch.id in spare.refresh(folder)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_killed_in_the_middle_the_old_sheet_stays(tmp_path: Path, moment: str) -> None:
    """A process killed while it writes, by the one signal that nothing can catch."""
    (tmp_path / "Расписание 1.pdf").write_bytes(b"good")
    child = os.fork()
    if child == 0:
        try:
            setattr(os, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            spare._write(tmp_path, "Расписание 1.pdf", b"new" * 100_000)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert (tmp_path / "Расписание 1.pdf").read_bytes() == b"good"
    left = list(tmp_path.glob(".spare-*"))
    assert len(left) == 1 and mode(left[0]) == 0o600
    long_ago = clock.now().timestamp() - 3600
    os.utime(left[0], (long_ago, long_ago))
    spare._sweep(tmp_path)
    assert not list(tmp_path.glob(".spare-*"))


def test_a_full_disk_keeps_the_old_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(b"good")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        spare._write(tmp_path, "a.pdf", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]
    assert (tmp_path / "a.pdf").read_bytes() == b"good"


# --- the page --------------------------------------------------------------------------------------------------


def test_the_page_shows_the_folder_the_age_and_the_steps(folder: Path, branch: Any, client_of: Any) -> None:
    desk = client_of("administrator")
    page = desk.get("/schedule/spare/").text
    assert "Ещё не составлен" in page and str(folder) in page
    assert desk.get(f"/schedule/spare/{branch.id}.pdf").status_code == 404
    jobs.keep_spare_sheets()
    page = desk.get("/schedule/spare/").text
    assert "04.03.2033 10:42" in page and "только что" in page and "Когда снова заработало" in page
    assert "другие пользователи" not in page
    answer = desk.get(f"/schedule/spare/{branch.id}.pdf")
    assert answer.mimetype == "application/pdf" and answer.data == sheet_of(folder, branch).read_bytes()
    assert "no-store" in answer.headers["Cache-Control"]
    with clock.at(NOW + timedelta(minutes=5)):
        assert "5 минут назад" in desk.get("/schedule/spare/").text
    with clock.at(NOW + timedelta(minutes=40)):
        assert "сейчас лист не обновляется" in desk.get("/schedule/spare/").text
    folder.chmod(0o755)
    assert "другие пользователи" in desk.get("/schedule/spare/").text


def test_it_is_for_who_may_see_all_of_it(folder: Path, branch: Any, app: Any, client_of: Any, make: Any) -> None:
    from app.models import RightChange

    jobs.keep_spare_sheets()
    pages = ["/schedule/spare/", f"/schedule/spare/{branch.id}.pdf"]

    def answers(who: str) -> list[int]:
        browser = client_of(who)
        return [browser.get(page).status_code for page in pages]

    assert [app.test_client().get(page).status_code for page in pages] == [302, 302]
    assert answers("senior") == answers("director") == answers("administrator") == [200, 200]
    assert answers("doctor") == answers("sysadmin") == [403, 403]
    senior = make.user("senior").id
    for right in ("payment.see", "card.see"):
        change = {"user_id": senior, "right": right, "reason": "проба", "created_by_id": senior}
        make._save(RightChange(**change, allowed=False))
        try:
            assert answers("senior") == [403, 403], right
        finally:
            make._save(RightChange(**change, allowed=None))
    assert answers("senior") == [200, 200]


def test_nonsense_is_not_found(folder: Path, client_of: Any) -> None:
    desk = client_of("administrator")
    for pk in ("0", "2000000000", "99999999999999999999", "x", "..%2f1"):
        assert desk.get(f"/schedule/spare/{pk}.pdf").status_code == 404


def test_the_clock_starts_the_job() -> None:
    from app.queue import TIMED_JOBS

    found = [job for job in TIMED_JOBS if job.function == "app.schedule.jobs.keep_spare_sheets"]
    assert len(found) == 1 and found[0].seconds * 3 < spare.STALE_MINUTES * 60
