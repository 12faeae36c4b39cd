"""Odd inputs: what people type, paste, or send on purpose, for the fields of every form."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

TEXTS = {
    "full-width digits": "１２３４",
    "blanks": "   ",
    "ideographic blanks": "\u3000山\u3000田\u3000",
    "long vowel as hyphen": "03ー1234ー5678",
    "hyphen U+2010": "03\u20101234\u20105678",
    "minus U+2212": "03\u22121234\u22125678",
    "brackets": "（03）1234-5678",
    "short phone": "03-1234-567",
    "NUL": "山\0田",
    "escape and bell": "\x1b[31m\x07",
    "bidi controls": "\u202e田山\u202c\u2066",
    "right to left": "שלום עולם",
    "emoji": "🚗",
    "emoji joined": "👨\u200d👩\u200d👧",
    "private use": "\ue000\uf8ff",
    "noncharacter": "\uffff",
    "variant of a character": "髙﨑",
    "variation selector": "葛\U000e0100城",
    "outside the BMP": "𠮷田",
    "combining": "か\u3099",
    "half-width katakana": "ﾔﾏﾀﾞ",
    "ligature": "㈲山田",
    "very long": "長" * 5000,
    "wide number": "9" * 400,
    "era month": "令和8年12月",
    "era day": "R8.11.29",
    "era that ended": "平成38年1月1日",
    "day with its weekday": "2026/11/29(日)",
    "day with another weekday": "2026/11/29(月)",
    "another year": "2016/11/29",
    "no such day": "2027/02/30",
    "no such month": "2026/13",
    "year zero": "0000/01/01",
    "last year": "9999/12/31",
    "month": "2026/12",
    "negative": "-1",
    "exponent": "1e3",
    "fraction": "1.5",
    "commas": "1,234,567",
    "yen": "¥1,234円",
    "leading zeros": "0012",
    "superscript": "²",
    "fraction in one character": "½",
    "infinity": "NaN",
    "HTML": "<b onmouseover=alert(1)>太</b>&amp;",
    "script": '"><script>alert(1)</script>',
    "SQL": "'; DROP TABLE contract; --",
    "wildcards": "%_\\",
    "template": "{{ 7 * 7 }}",
    "formula": "=1+1",
    "header": "a\r\nBcc: x@example.jp",
    "tab": "a\tb",
    "two lines": "一\n二",
    "address without a domain": "e101@",
    "two ats": "bad@@x",
    "full-width address": "ｅ１０１＠ｄ０１．ｅｘａｍｐｌｅ．ｊｐ",
    "path": "../../etc/passwd",
    "percent": "%00%0a",
}
"""Every one goes into every field that takes text."""


@dataclass
class Form:
    """A form of a page as a browser without scripts sends it."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """The forms of a page, the ids of its elements, and its messages by field."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.ids: set[str] = set()
        self.summary: list[tuple[str, str]] = []  # where an error leads, and its words
        self._form: Form | None = None
        self._area = self._select = ""
        self._in_summary = False
        self._link: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        traits = {name: value or "" for name, value in attrs}
        if "id" in traits:
            self.ids.add(traits["id"])
        if tag == "form":
            self._form = Form(traits.get("action", ""), traits.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "section":
            self._in_summary = traits.get("aria-labelledby") == "errors-title"
        elif tag == "li" and self._in_summary:
            self._link = ""
        elif tag == "a" and self._link is not None:
            self._link = traits.get("href", "")
        if self._form:
            self._control(self._form, tag, traits)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "section":
            self._in_summary = False
        elif tag == "li":
            self._link = None
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._link is not None and data.strip():
            self.summary.append((self._link, data.strip()))
        if self._area and self._form:
            self._form.fields[self._area] = [self._form.fields[self._area][0] + data]

    def _control(self, form: Form, tag: str, traits: dict[str, str]) -> None:
        name = traits.get("name", "")
        if tag == "option" and ("selected" in traits or self._select not in form.fields):
            form.fields[self._select] = [traits.get("value", "")]
        if not name:
            return
        kind = traits.get("type", "text") if tag == "input" else tag
        if kind == "button":
            form.buttons.append((name, traits.get("value", "")))
        elif kind == "textarea":
            form.fields[name], self._area = [""], name
            form.typed.append(name)
        elif kind == "select":
            self._select = name
        elif kind not in {"checkbox", "radio"} or "checked" in traits:
            form.fields.setdefault(name, []).append(traits.get("value", ""))
            if kind not in {"hidden", "checkbox", "radio", "file"}:
                form.typed.append(name)
