"""Texts of papers: what is wrong is said with the line; what attacks is refused, at once, and fetches nothing."""

import base64
import contextlib
import http.server
import io
import threading
import zlib

import pytest
from PIL import Image

from app import deadline, pdf
from app.documents import operations, paper, queries, reading, rules
from app.documents.paper import TemplateBroken
from app.errors import Refusal
from app.vocab import TemplateKind


@pytest.fixture(scope="module")
def values():
    return queries.sample_fields("contract")


def said(body, values):
    return [problem.sentence % problem.facts for problem in paper.check(body, values)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<p>\n{{ clinic.in }}", "Line 2: there is no field “clinic.in” in this document. Did you mean “clinic.inn”?"),
        ("{{ patient.name }}", "there is no field “patient.name”"),
        ("{{ pacient.fio }}", "Did you mean “patient.fio”"),
        ("{% if 0 %}\n{{ nobody.fio }}\n{% endif %}", "Line 2: there is no field"),
        ("{% for s in services %}{{ s.nam }}{% endfor %}", "Did you mean “s.name”"),
        ("{{ patient.fio", "the brackets are not closed"),
        ("{{ patient.fio }", "the brackets are not closed"),
        ("{{ }}", "there is nothing inside the brackets"),
        ("{{ patient fio }}", "“fio” does not belong inside the brackets"),
        ("{{ № }}", "“№” does not belong inside the brackets"),
        ("{% if patient.inn %}x\n\n", "Line 1: {% if %} is not closed. Add {% endif %}"),
        ("{% if 1 %}{% endif %}\n{% for s in services %}\n{# {% endfor %} #}", "Line 2: {% for %} is not closed"),
        ("a\n{% endif %}", "Line 2: {% endif %} closes what was not opened"),
        ("{% for s in services %}{% if s.no %}{% endfor %}", "{% endfor %} stands where {% endif %} is needed"),
        ("{% fi patient.inn %}", "there is no {% fi %}"),
        ("{# note", "the comment {# … is not closed"),
        ("{{ totals.net | mony }}", "there is no filter “mony”. There are: "),
        ("{{ patient.fio | money }}", "the filter “money” cannot show this value. It is for sums of money."),
        ("{{ totals.net * 2 }}", "Sums are counted by the program"),
        ("{{ patient.fio.upper() }}", "A field is written without round brackets"),
        ("{% set x = 1 %}", "“set” cannot be used"),
        ("{% include 'frame' %}", "“include” cannot be used"),
        ("{% macro m() %}{% endmacro %}", "“macro” cannot be used"),
        ("{% for c in patient.fio %}{% endfor %}", "“patient.fio” is not a list, it cannot be repeated. Lists here:"),
        ("{{ patient }}", "“patient” is not one value. Choose a field of it: fio, "),
        ("{{ services }}", "“services” is not one value"),
        ("<p>\n<style>p {}</style>", "Line 2: the tag <style> cannot be printed. Write the look"),
        ("<script>alert(1)</script>", "Paper runs no programs"),
        ("<input name=x>", "Draw a box with ☐"),
        ("<p>\n\n<img src='http://127.0.0.1/x.png'>", "Line 3: “src” of <img> cannot be used"),
        ("<table><tr><td colspan='100000000'>x</td></tr></table>", "a cell can span 64 cells at most"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(values, body, words):
    told = said(body, values)
    assert told and any(words in sentence for sentence in told), told
    if "{% if 0" not in body:
        with pytest.raises(TemplateBroken):
            paper.fill_in(body, values)


def test_all_mistakes_are_told_in_the_order_of_the_lines(values):
    told = said("{{ patient.fioo }}\n<p>\n{{ clinic.in }}\n{{ doctor.nothing_like_it }}", values)
    assert [sentence[:7] for sentence in told] == ["Line 1:", "Line 3:", "Line 4:"]


def test_what_is_right_is_right(values):
    body = (
        "<h2>{{ patient.fio | upper }}</h2>"
        "{% if rep.signs and not patient.inn %}<p>{{ rep.fio | line(20) }}</p>{% endif %}"
        "{% for service in services if service.tooth %}{{ loop.index }}. {{ service['name'] }}{{ service.sum | money }}"
        "{% else %}—{% endfor %} {{ services[0].name }} {{ services | length }} {{ totals.net | words }}"
        "{{ patient.fio ~ ', ' ~ patient.age }} {{ patient.inn or '—' }} {{ 'да' if rep.signs else 'нет' }}"
        "{% for service in services %}{% for other in services %}{{ other.no }}{% endfor %}{% endfor %}"
    )
    assert not paper.check(body, values)
    assert "1. Восстановление зуба" in paper.fill_in(body, values)


def test_the_shipped_texts_have_no_mistakes_for_anybody():
    for kind in TemplateKind:
        for child in (False, True):
            assert not paper.check(paper.shipped(kind), queries.sample_fields(kind, child=child)), kind


def test_every_field_has_a_meaning_and_every_meaning_a_field():
    offered = set()
    for kind in TemplateKind:
        groups = queries.fields_of(kind)
        names = {name for _, fields in groups for name, *_ in fields}
        sample = queries.sample_fields(kind)
        wanted = set(reading.names_of(sample))
        assert wanted <= names, (kind, wanted - names)
        offered |= {(name.split(".")[0], name) for name in names}
        for _, fields in groups:
            for name, _, _, put in fields:
                if name.split(".")[0] not in rules.ROWS.values():
                    assert not paper.check(put, sample), (kind, put)
    for key, (_, words) in rules.GROUPS.items():
        row = rules.ROWS.get(key, key)
        missing = {rest for rest in words if (row, f"{row}.{rest}") not in offered}
        assert not missing, (key, missing)
    for _, words in rules.BARE.values():
        missing = {name for name in words if (name.split(".")[0], name) not in offered}
        assert not missing, missing


_PERSON = (
    "fio fio_gen fio_dat last_name first_name middle_name fio_short birth_date age sex phone email address_reg"
    " address_live inn snils oms_policy oms_insurer card_number card_opened passport.type passport.code passport.series"
    " passport.number passport.issued_by passport.issued_date passport.dept_code"
)
_CARD = f"""
clinic: legal_name short_name brand address actual_address phone email site inn kpp ogrn okpo bank_name bik account
 corr_account director_fio director_fio_gen director_post_gen acting_on license.number license.date license.issuer
 license.issuer_address license.issuer_phone license.works
legal: paid_services_act
patient: {_PERSON}
rep: {_PERSON} relation basis_document
payer: {_PERSON} name inn ogrn address
contract: number date place valid_until
doctor: fio fio_short post
staff: fio post
visit: date time number
totals: gross discount net paid debt net_words
today: date long
pd: purposes categories actions third_parties term revocation_channel
plan: number date variant
: tooth diagnosis method alternatives risks anesthetic
"""
_ORDER = """
order: number date assistants methods cashier
contract: number date
patient: fio card_number
doctor: fio
totals: gross discount net paid debt net_words
"""
_ACT = "act: number date period"


def _named(lines):
    whole = lines.strip().replace("\n ", " ")
    return [f"{key}.{name}".lstrip(".") for key, _, names in (line.partition(":") for line in whole.splitlines())
            for name in names.split()]  # fmt: skip


@pytest.mark.parametrize("child", [False, True])
def test_every_field_that_papers_of_a_clinic_name_is_there(child):
    """The dictionary that templates of clinics are written by: each name, and each list with its rows."""
    card = "".join(f"{{{{ {name} }}}}" for name in _named(_CARD)) + (
        "{% for s in services %}{{ s.no }}{{ s.code }}{{ s.name }}{{ s.tooth }}{{ s.qty }}{{ s.price }}"
        "{{ s.discount }}{{ s.sum }}{% endfor %}{% for one in trusted %}{{ one.fio }}{{ one.phone }}{% endfor %}"
        "{% for one in plan.stage %}{{ one.no }}{{ one.name }}{{ one.sum | money }}{{ one.sum_words }}"
        "{% for s in one.services %}{{ s.code }}{{ s.sum | money }}{% endfor %}{% endfor %}"
    )
    order = "".join(f"{{{{ {name} }}}}" for name in _named(_ORDER))
    for kind in TemplateKind:
        if kind != TemplateKind.RECEIPT:
            body = order if kind in queries.OF_ORDER else card
            if kind == TemplateKind.ACT:
                body += "".join(f"{{{{ {name} }}}}" for name in _named(_ACT))
            for values in (queries.sample_fields(kind, child=child), queries.bare_fields(kind, child=child)):
                assert not paper.check(body, values), kind


ATTACKS = [
    "{{ ''.__class__ }}",
    "{{ patient['__class__'] }}",
    "{{ patient.fio.__class__.__mro__[1].__subclasses__() }}",
    "{{ '{0.__class__}'.format(patient) }}",
    "{{ '%s' % patient }}",
    "{{ patient.fio | format('x') }}",
    "{{ patient | attr('__class__') }}",
    "{{ patient.fio | map('upper') | list }}",
    *(f"{{{{ {name} }}}}" for name in (
        "config", "request", "g", "self", "cycler", "lipsum", "joiner", "namespace", "range", "session", "dict",
        "url_for", "get_flashed_messages", "current_app", "_", "gettext", "environ", "__builtins__", "loop", "caller",
    )),
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{% for x in range(10 ** 9) %}x{% endfor %}",
    "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% for a in services %}{% for b in services %}{% for c in services %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in [" + "0," * 30_000 + "] %}{% for b in [" + "0," * 15_000 + "] %}{% endfor %}{% endfor %}",
    "{% for a in patient %}{% endfor %}",
    "{{ " + "(" * 30_000 + "1" + ")" * 30_000 + " }}",
    "{{ " + "[" * 3_000 + "]" * 3_000 + " }}",
    "{{ " + "not " * 20_000 + "1 }}",
    "{{ " + "-" * 20_000 + "1 }}",
    "{% if 1 %}" * 2_000 + "{% endif %}" * 2_000,
    "{% for a in services %}" * 500 + "{% endfor %}" * 500,
    "{{ patient" + ".a" * 20_000 + " }}",
    "{{ 9" + "9" * 5_000 + " }}{{ 1 if 9" + "9" * 5_000 + " }}",
    "{{ '9" + "9" * 20_000 + "' | words }}",
    "{% raw %}" + "<div>" * 15_000 + "{% endraw %}",
    "<i{{ 'mg' }} src='/etc/passwd'>",
    "<{{ 'script' }}>x</{{ 'script' }}>",
    "<table>" + "<tr><td>a</td></tr>" * 5_000 + "</table>",
    "<table><tr><td>" * 30 + "x" + "</td></tr></table>" * 30,
    "<table><tr><td rowspan='99999999'>x</td></tr></table>",
    "<br>" * 20_000,
    "<span>" * 5_000,
    "<p style='background: url(http://127.0.0.1:9/x)'>x</p>",
    "<p style='background-image: \\75 rl(http://127.0.0.1:9/x)'>x</p>",
    "<p style='position: absolute; left: 0'>x</p>",
    "<td background='http://127.0.0.1:9/x'>x</td><table background='/etc/passwd'><tr><td>x</td></tr></table>",
    "<img src='file:///etc/passwd'>",
    "<img src='data:image/svg+xml;base64,PHN2Zz48L3N2Zz4='>",
    "<img src='data:text/html;base64,PHA+'>",
    "<img src='data:image/png;base64,AAAA'>",
    "<link rel=stylesheet href='http://127.0.0.1:9/x.css'>",
    "<style>@import url(http://127.0.0.1:9/x.css); @page { background-image: url(/etc/passwd) }</style>",
    "<pdf:barcode value='x' type='qr' barwidth='1000cm'>",
    "<pdf:include src='/etc/passwd'>",
    "<pdf:toc>", "<pdf:frame name='a'>", "<pdf:template name='a'>", "<pdf:font name='a' src='/etc/passwd'>",
    "<svg><image href='http://127.0.0.1:9/x'/></svg>",
    "<math><mi>x</mi></math>",
    "<object data='/etc/passwd'></object>", "<embed src='/etc/passwd'>", "<iframe src='/etc/passwd'></iframe>",
    "<base href='http://127.0.0.1:9/'>", "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
]  # fmt: skip


@pytest.mark.parametrize("body", ATTACKS, ids=lambda body: body[:30])
def test_an_attack_is_refused_in_a_sentence(values, body):
    with deadline.within(20):
        assert paper.check(body, values)
        with pytest.raises(TemplateBroken) as refused:
            paper.fill_in(body, values)
    assert refused.value.status == 422 and refused.value.sentence % refused.value.words


def test_fifty_megabytes_are_not_made(values):
    body = "{% for a in services %}{% for b in services %}" + "x" * 90_000 + "{% endfor %}{% endfor %}"
    with pytest.raises(TemplateBroken):
        paper.fill_in(body, {**values, "services": values["services"] * 50})


def test_repetitions_are_counted(values):
    many = {**values, "services": [{"no": "1"}] * 3_000}
    with deadline.within(20), pytest.raises(TemplateBroken):
        paper.fill_in("{% for a in services %}{% for b in services %}{{ '' }}{% endfor %}{% endfor %}", many)


def test_html_of_a_value_is_text(values):
    patient = {**values["patient"], "fio": "<script>x</script><img src='http://127.0.0.1:9/'>{{ 7 }}"}
    filled = paper.fill_in("<p title='{{ patient.fio }}'>{{ patient.fio }}</p>", {**values, "patient": patient})
    assert "<script" not in filled and "<img" not in filled and "{{ 7 }}" in filled


def _picture(width, height, form="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(out, form)
    return out.getvalue()


def test_a_small_picture_may_stand_in_the_text_and_a_bomb_may_not(values):
    logo = base64.b64encode(_picture(120, 40)).decode()
    body = f"<p><img src='data:image/png;base64,{logo}' width='120'>Клиника</p>"
    assert not paper.check(body, values)
    made = pdf.render(paper.sheet("Логотип", "", paper.fill_in(body, values)))
    assert b"/Image" in made.replace(b"/ImageB", b"").replace(b"/ImageC", b"").replace(b"/ImageI", b"")
    header = b"\x00\x01\x86\xa0" * 2 + b"\x08\x02\x00\x00\x00"  # 100 000 × 100 000 points in a hundred bytes
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    for bad in (bomb, b"GIF89a" + b"\x00" * 50, _picture(2_500, 2_500), b"x" * 400_000):
        assert paper.check(f"<img src='data:image/png;base64,{base64.b64encode(bad).decode()}'>", values)


class _Watching(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_nothing_is_fetched_even_past_the_check(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Watching)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    _Watching.asked.clear()
    (tmp_path / "secret.txt").write_text("ТАЙНА")
    host, secret = f"http://127.0.0.1:{server.server_port}", (tmp_path / "secret.txt").as_uri()
    try:
        for one in (host, f"http://localhost:{server.server_port}", f"http://[::ffff:127.0.0.1]:{server.server_port}"):
            for body in (
                f"<img src='{one}/img.png'>", f"<link rel='stylesheet' href='{one}/a.css' type='text/css'>",
                f"<style>@import url({one}/b.css);</style>",
                f"<style>@page {{ background-image: url({one}/c.png); }}</style>",
                f"<style>@font-face {{font-family: X; src: url({one}/d.ttf);}}</style><p style='font-family: X'>x</p>",
                f"<p style='background-image: url({one}/e.png)'>x</p>", f"<pdf:include src='{one}/f.html'>x",
                f"<svg><image href='{one}/g.png'/></svg>", f"<object data='{one}/h'></object>",
                f"<img src='{secret}'>", f"<pdf:include src='{secret}'>",
                "<!DOCTYPE x [<!ENTITY e SYSTEM '/etc/passwd'>]>&e;",
            ):  # fmt: skip
                try:
                    made = pdf.render(f"<html><body>{body}<p>Текст</p></body></html>")
                except Refusal:
                    continue
                assert "ТАЙНА".encode() not in made and b"root:" not in made
    finally:
        server.shutdown()
    assert not _Watching.asked


def test_the_printer_is_interrupted_in_earnest(monkeypatch):
    monkeypatch.setattr(pdf, "LONGEST", 0.5)
    rows = "<tr>" + "<td>слово</td>" * 8 + "</tr>"
    with pytest.raises(pdf.NotPrintable):
        pdf.render("<table>" + rows * 2_000 + "</table>")
    assert pdf.render("<p>Текст</p>").startswith(b"%PDF")


def test_time_that_is_over_is_not_taken_for_a_mistake():
    ticks = 0
    with pytest.raises(deadline.OutOfTime), deadline.within(0.2):
        while True:
            with contextlib.suppress(Exception):
                ticks += 1
    with deadline.within(0.05):
        pass
    threading.Event().wait(0.2)  # nothing comes afterwards


def test_the_office_is_told_what_is_wrong_before_it_is_saved(make):
    row = queries.active_template("referral")
    with pytest.raises(TemplateBroken) as refused:
        operations.new_version(row.id, row.name, "<p>{{ patient.fioo }}</p>\n{{ oops }}", actor=make.user("director"))
    assert [problem.line for problem in refused.value.problems] == [1, 2]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("<p>\n{{ patient.fio\n<p>x</p>\n", 2),
        ("<p>\n{{ patient.fio\n<p>{{ patient.inn }}</p>", 2),
        ("{# {{ x #}\n{{ patient.inn }}\n{% if patient.inn\n<p>x</p>{% endif %}", 3),
    ],
)
def test_brackets_that_are_not_closed_are_told_where_they_open(values, body, line):
    [told] = said(body, values)
    assert told.startswith(f"Line {line}: the brackets are not closed"), told


def test_single_brackets_around_a_field_are_a_mistake(values):
    body = (
        "<p>{{ patient.fio }}</p>\n<p>{ patient.fio }, {totals.net | money}</p>\n"
        "{% for service in services %}{ service.name }{% endfor %}\n{# { patient.inn } #}{ место для печати } {patient}"
    )
    assert [sentence[:31] for sentence in said(body, values)] == [
        "Line 2: { patient.fio } is prin", "Line 2: { totals.net } is print", "Line 3: { service.name } is pri",
    ]  # fmt: skip


@pytest.mark.parametrize("layout", [
    "<table><tr><td width='abc'>x</td></tr></table>", "<p style='font-size:1,5em'>x</p>", "<hr width='половина'>",
    "<p style='padding:5000mm'>x</p>", "<p style='font-size:100000pt'>x</p>",
    "<table><tr><td width='1'>" + "очень длинный текст " * 50 + "</td></tr></table>",
])  # fmt: skip
def test_what_the_printer_refuses_is_no_text_without_mistakes(context, layout):
    [problem] = operations.check_text("referral", f"<p>{{{{ patient.fio }}}}</p>{layout}")
    assert problem.sentence == pdf.NotPrintable.sentence


@pytest.mark.parametrize(
    "body", ["{{ (services | first).name }}", "{{ services[0].name }}", "{{ patient.middle_name | first }}",
             "{% if rep.signs %}{{ rep.fio | last }}{% endif %}",
             "{% if rep.signs %}{{ signer.fio | first }}{% endif %}"],
)  # fmt: skip
def test_what_the_first_newcomer_would_be_refused_is_found_before_it_is_saved(context, body):
    [problem] = operations.check_text("contract", f"<p>x</p>\n{body}")
    assert (problem.line, problem.sentence) == (2, rules.problems.NOTHING_THERE)
    guarded = "{% if services and patient.middle_name and rep.fio and signer.fio %}" + body + "{% endif %}"
    assert not operations.check_text("contract", guarded)


def test_a_bill_always_has_services(context):
    assert not operations.check_text("act", "{{ (services | first).name }}{{ services[0].sum | money }}")
    [problem] = operations.check_text("receipt", "{{ lines[0].name }}")
    assert problem.sentence == rules.problems.NOTHING_THERE


def test_the_shipped_texts_pass_the_whole_check(context):
    for kind in TemplateKind:
        assert not operations.check_text(kind, paper.shipped(kind)), kind


def test_a_text_that_is_too_long_is_cut_by_nobody(context):
    long = "<p>x</p>\n" * 11_112
    assert [problem.sentence for problem in operations.check_text("referral", long)] == [rules.problems.ENDLESS]
    with pytest.raises(TemplateBroken) as refused:
        operations.try_out("referral", long)
    assert refused.value.sentence == rules.problems.ENDLESS
    # a browser sends two signs for the end of a line: they are not counted against who wrote the text
    several = "<p>x</p>{# " + ("x" * 98 + "\r\n") * 999 + " #}"
    assert not operations.check_text("referral", several)
