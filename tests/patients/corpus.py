"""Hard searches: what people at a desk type, and whom they mean."""

#: key: surname, name, patronymic, birth date, phone, whose child.
PEOPLE = {
    "ivanov": ("Иванов", "Иван", "Иванович", "1985-03-12", "+79161112233", ""),
    "ivanova": ("Иванова", "Мария", "Сергеевна", "1990-07-01", "+79161112244", ""),
    "ivanko": ("Иванько", "Пётр", "Ильич", "1970-01-05", "+79031230001", ""),
    "petrov": ("Петров", "Алексей", "Юрьевич", "1978-11-30", "+79262223344", ""),
    "yuriev": ("Юрьев", "Пётр", "Алексеевич", "1999-02-14", "+79262223355", ""),
    "zhukov": ("Жуков", "Юрий", "Эдуардович", "1966-06-06", "+79163334455", ""),
    "shcherbakov": ("Щербаков", "Евгений", "Яковлевич", "1982-08-08", "+79164445566", ""),
    "tsvetkova": ("Цветкова", "Екатерина", "Игоревна", "1993-12-24", "+79165556677", ""),
    "kuznetsov": ("Кузнецов", "Дмитрий", "Олегович", "1988-04-17", "+79166667788", ""),
    "chernyshev": ("Чернышёв", "Артём", "Семёнович", "1975-05-25", "+79167778899", ""),
    "khabarova": ("Хабарова", "Анна", "Викторовна", "2001-09-09", "+79168889900", ""),
    "rimsky": ("Римский-Корсаков", "Николай", "Андреевич", "1944-03-18", "+79169990011", ""),
    "borisov": ("Борисов", "Борис", "Борисович", "1960-10-10", "+79160001122", ""),
    "ezhova": ("Ежова", "Жанна", "Эмильевна", "1987-02-03", "+79161234567", ""),
    "semenov": ("Семёнов", "Фёдор", "Львович", "1955-05-15", "+79171112233", ""),
    "kim": ("Ким", "Ю", "", "1991-01-19", "+79182223344", ""),
    "kimova": ("Кимова", "Анна", "Юрьевна", "1992-01-19", "+79182223355", ""),
    "smith": ("Smith", "John", "", "1980-02-29", "+79193334455", ""),
    "oneil": ("О'Нил", "Шон", "", "1983-03-17", "+79204445566", ""),
    "abdulova": ("Абдулова", "Лейла", "Рашид кызы", "1989-06-23", "+79215556677", ""),
    "gulyaev": ("Гуляев", "Роман", "Петрович", "1981-12-31", "+79226667788", ""),
    "gulyaeva": ("Гуляева", "Соня", "Романовна", "2017-04-04", "", "gulyaev"),
    "mikhaylova": ("Михайлова", "Ольга", "Аркадьевна", "1979-09-19", "+79237778899", ""),
    "tsoy": ("Цой", "Виктор", "Робертович", "1962-06-21", "+79248889900", ""),
    "hrenov": ("Хренов", "Глеб", "Егорович", "1971-07-17", "+79259990011", ""),
    "eremeev": ("Еремеев", "Объедков", "", "1972-08-18", "+79260001122", ""),
}

#: What is typed → who stands first.
FIRST = {
    # as it is written, in any order, beginnings
    "иванов иван": "ivanov", "Иванов Иван Иванович": "ivanov", "иван иванов": "ivanov", "ИВАНОВА": "ivanova",
    "мария иванова": "ivanova", "серг мар иванова": "ivanova", "иванова мар": "ivanova", "иванько": "ivanko",
    "петр иванько": "ivanko", "петров": "petrov", "петров алексей": "petrov", "алексей петров": "petrov",
    "юрьев": "yuriev", "юрьев петр": "yuriev", "петр юрьев": "yuriev", "жуков": "zhukov", "юрий жуков": "zhukov",
    "щерб": "shcherbakov", "евгений щербаков": "shcherbakov", "екат цвет": "tsvetkova",
    "кузн дмит": "kuznetsov", "кузнецов олегович": "kuznetsov", "хабарова анна": "khabarova", "борисов": "borisov",
    "борисов борис борисович": "borisov", "ким": "kim", "кимова": "kimova", "абдулова": "abdulova",
    "лейла рашид": "abdulova", "абдулова кызы": "abdulova", "цой": "tsoy", "цой виктор": "tsoy",
    "  жуков   юрий ": "zhukov", "гуляева соня": "gulyaeva", "соня гуляева": "gulyaeva", "smith": "smith",
    "john smith": "smith", "SMITH J": "smith", "михайлова": "mikhaylova", "еремеев": "eremeev",
    # ё and е, hyphens, apostrophes
    "семенов": "semenov", "семёнов": "semenov", "федор семенов": "semenov", "Фёдор Семёнов": "semenov",
    "чернышев": "chernyshev", "чернышёв артём": "chernyshev", "артем чернышев": "chernyshev",
    "римский-корсаков": "rimsky", "римский корсаков": "rimsky", "корсаков": "rimsky", "корсаков николай": "rimsky",
    "римский-корс": "rimsky", "о'нил": "oneil", "о’нил": "oneil", "о нил": "oneil", "нил шон": "oneil",
    # initials
    "иванов и и": "ivanov", "иванов и.и.": "ivanov", "и.и. иванов": "ivanov", "ИИ Иванов": "ivanov",
    "иванова м.с.": "ivanova", "иванова мс": "ivanova", "петров а ю": "petrov", "петров а.ю.": "petrov",
    "а.ю. петров": "petrov", "цветкова е.и.": "tsvetkova", "жуков ю э": "zhukov",
    "щербаков ея": "shcherbakov",
    "кузнецов д.о.": "kuznetsov", "чернышев а.с.": "chernyshev", "семенов ф л": "semenov", "хабарова ав": "khabarova",
    # the other keyboard layout
    "bdfyjd": "ivanov", "bdfyjd bdfy": "ivanov", "bdfyjdf": "ivanova", "gtnhjd": "petrov", ";erjd": "zhukov",
    ";erjd .hbq": "zhukov",
    "wdtnrjdf": "tsvetkova", "repytwjd": "kuznetsov", "xthysitd": "chernyshev", "[f,fhjdf": "khabarova",
    "{f,fhjdf": "khabarova", ",jhbcjd": "borisov", "<jhbcjd": "borisov", "t;jdf": "ezhova", "ctvtyjd": "semenov",
    "ctv`yjd": "semenov", "rbvjdf": "kimova", "f,lekjdf": "abdulova", "uekztdf cjyz": "gulyaeva", "wjq": "tsoy",
    "[htyjd": "hrenov", "thtvttd": "eremeev", "hbvcrbq-rjhcfrjd": "rimsky", "vb[fqkjdf": "mikhaylova",
    "ыьшер": "smith", "ощрт": "smith", "bdfyjd b b": "ivanov", "gtnhjd f": "petrov",
    # Latin letters
    "ivanov": "ivanov", "Ivanov Ivan": "ivanov", "Ivanova Maria": "ivanova", "ivanova mariya": "ivanova",
    "petrov": "petrov", "Petrov Aleksey": "petrov", "petrov alexey": "petrov", "Petrov Aleksei": "petrov",
    "zhukov": "zhukov", "Zhukov Yuriy": "zhukov", "zhukov iurii": "zhukov", "Shcherbakov": "shcherbakov",
    "scherbakov": "shcherbakov", "Shcherbakov Evgeny": "shcherbakov", "Tsvetkova": "tsvetkova",
    "tsvetkova ekaterina": "tsvetkova", "kuznetsov": "kuznetsov", "Kuznetsov Dmitry": "kuznetsov",
    "chernyshev": "chernyshev", "Khabarova": "khabarova", "habarova": "khabarova", "khabarova anna": "khabarova",
    "Rimsky-Korsakov": "rimsky", "korsakov": "rimsky", "borisov": "borisov", "Semyonov": "semenov",
    "semenov fedor": "semenov", "Fyodor Semyonov": "semenov", "abdulova": "abdulova", "leyla abdulova": "abdulova",
    "tsoy": "tsoy", "tsoi": "tsoy", "mikhailova": "mikhaylova", "mihaylova": "mikhaylova", "Gulyaeva": "gulyaeva",
    # one letter wrong, missing, extra, or two of them changed
    "иваноф": "ivanov", "ивонов": "ivanov", "бванов": "ivanov", "инванов": "ivanov", "ивнаов": "ivanov",
    "петроф": "petrov", "птеров": "petrov", "пертов алексей": "petrov", "щирбаков": "shcherbakov",
    "щебраков": "shcherbakov", "щербакв": "shcherbakov", "цевткова": "tsvetkova", "цветквоа": "tsvetkova",
    "кузнцов": "kuznetsov", "кузнецоф": "kuznetsov", "куснецов": "kuznetsov", "чернишев": "chernyshev",
    "чернышов": "chernyshev", "хабарва": "khabarova", "хабаррова": "khabarova", "корсоков": "rimsky",
    "семинов": "semenov", "абдуллова": "abdulova", "михалова": "mikhaylova", "михаилова": "mikhaylova",
    "гулаева": "gulyaeva", "гуляева соня романавна": "gulyaeva", "жукоф": "zhukov", "жуоков": "zhukov",
    "еремиев": "eremeev", "хренав": "hrenov", "ольга михалова": "mikhaylova",
    # phones
    "79161112233": "ivanov", "8 916 111 22 33": "ivanov", "+7 (916) 111-22-33": "ivanov",
    "89161112233": "ivanov", "916-111-22-33": "ivanov", "иванов 2233": "ivanov", "2244 иванова": "ivanova",
    "9262223344": "petrov", "петров 3344": "petrov", "7788 гуляева": "gulyaeva",
    "гуляева 9226667788": "gulyaeva",
    # birth dates
    "12.03.1985": "ivanov", "12/03/1985": "ivanov", "12-03-1985": "ivanov", "12.3.1985": "ivanov", "12.03.85": "ivanov",
    "12031985": "ivanov", "иванов 12.03.1985": "ivanov", "24.12.1993": "tsvetkova", "цветкова 24.12.93": "tsvetkova",
    "04.04.2017": "gulyaeva", "гуляева 04.04.17": "gulyaeva", "29.02.1980": "smith", "иванов 1985": "ivanov",
    "семенов 1955": "semenov",
    # pasted from a message or a paper, with what people write around
    "тел. 8-916-111-22-33": "ivanov", "моб 89161112233": "ivanov", "8(916)1112233": "ivanov",
    "007 916 111 22 33": "ivanov", "иванов 22-33": "ivanov", "22-33 иванов": "ivanov",
    "+7 922 666-77-88 гуляева": "gulyaeva", "8 (922) 666 77 88 соня": "gulyaeva", "+7-903-123-00-01": "ivanko",
    "Иванов, Иван": "ivanov", "«Иванов»": "ivanov", "Иванов/Иван": "ivanov", "Иванов\u00a0Иван": "ivanov",
    "Иванов Иван Иванович, 12.03.1985 г.р.": "ivanov", "иванов.иван": "ivanov",
    # the same day, written another way
    "1985-03-12": "ivanov", "12 03 1985": "ivanov", "12,03,1985": "ivanov", "12 марта 1985": "ivanov",
    "12-мар-1985": "ivanov", "12.03.1985г": "ivanov", "12.03.1985 года": "ivanov", "иванов 12 марта 1985": "ivanov",
    "2017-04-04": "gulyaeva", "120385": "ivanov", "иванов 1985 г.р.": "ivanov", "соня 4 апреля 2017": "gulyaeva",
    # the card's number, by itself and beside a name
    "№ {ivanov}": "ivanov", "№{ivanov}": "ivanov", "карта {ivanov}": "ivanov", "карта № {petrov}": "petrov",
    "N{petrov}": "petrov", "#{petrov}": "petrov", "{petrov} петров": "petrov", "петров №{petrov}": "petrov",
    # Latin letters among Russian ones, which look the same
    "Ивaнов": "ivanov", "Пeтрoв": "petrov", "Cеменов": "semenov", "Kим Ю": "kim", "Кузнeцов Дмитрий": "kuznetsov",
    "916 111-22-33": "ivanov", "8 91677 7-88-99": "chernyshev", "91677 7-88-99 чернышев": "chernyshev",
    # two things at once: a mistake in Latin letters, in the other layout, beside initials
    "ivanof": "ivanov", "petrof aleksey": "petrov", "scherbakof": "shcherbakov", "kuznecov": "kuznetsov",
    "cvetkova": "tsvetkova", "jukov": "zhukov", "xabarova": "khabarova", "bdfyja": "ivanov", "repytwja": "kuznetsov",
    "иваноф и.и.": "ivanov", "жукоф юрий": "zhukov", "римский-карсаков": "rimsky", "smiht": "smith",
    "jonh smith": "smith", "ctvtyjd atljh": "semenov", "cjyz uekztdf": "gulyaeva", "обьедков": "eremeev",
}  # fmt: skip

#: What is typed → who must not be found by it, however near: another sex, another year, a namesake's child.
NOT_AMONG = {
    "иванов иванович": ("ivanova", "ivanko"), "иванова": ("ivanov",), "петров алексей": ("yuriev",),
    "кимова": ("kim",), "гуляева соня": ("gulyaev",), "иванова 1985": ("ivanova",),
    "иванов 2244": ("ivanov",), "петров {ivanov}": ("ivanov", "petrov"), "12.03.1985": ("ivanova", "ivanko"),
    "29.02.1980": ("ivanov",), "семенов 1985": ("semenov", "ivanov"), "иванова и.и.": ("ivanov",),
    "1985-03-13": ("ivanov",), "12 марта 1986": ("ivanov",), "8 916 111 22 34": ("ivanov",),
    "ivanova maria": ("ivanov",), "bdfyjdf vfhbz": ("ivanov",), "ким анна": ("kim",), "карта {petrov}": ("ivanov",),
}  # fmt: skip
#: What is typed → who stands below, if found at all.
NOT_FIRST = {
    "иванов": ("ivanova", "ivanko"), "ким": ("kimova",), "гуляев": ("gulyaeva",), "юрьев петр": ("petrov",),
    "юр": ("petrov", "kimova"), "борис": ("tsoy",), "{ivanov}": ("petrov", "ivanova"), "3344": ("ivanov",),
    "ivan": ("ivanova",), "михайлова": ("ivanov",),
}  # fmt: skip

#: What is typed → who is among those found, whoever stands first.
AMONG = {
    "2233": ("ivanov", "semenov"), "1112233": ("ivanov", "semenov"), "3344": ("petrov", "kim"),
    "6667788": ("gulyaev", "gulyaeva"),
    "7788": ("gulyaev", "gulyaeva", "kuznetsov"), "борис": ("borisov",), "иван": ("ivanov", "ivanova", "ivanko"),
    "анна": ("khabarova", "kimova"), "19.01.1991": ("kim",), "гуляев": ("gulyaev", "gulyaeva"),
}  # fmt: skip

#: Nobody is meant: a wrong guess here costs a wrong card.
NOBODY = (
    "абвгдеж", "йцукен", "xyzxyz", "9999999999", "31.02.1985", "99.99.9999", "петров 9999", "иванов 31.12.1901", "%",
    "_", "ъъъъ", "!!!", "щщщщщ пппп", "кузнецов щщщщщ", "00000000",
)  # fmt: skip
