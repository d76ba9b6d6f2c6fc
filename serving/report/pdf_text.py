"""Text of a printed page that can be searched: where a browser wrote the sign of a radical, the character is put back.

A Chinese font draws the radical ⻛ and the character 风 with one glyph, and Chromium, asked what a glyph means, may say
the radical. It looks right and is not found by whoever looks for the word.
"""

from __future__ import annotations

import io
import re
import unicodedata

from pypdf import PdfReader, PdfWriter
from pypdf.generic import StreamObject

# Radicals of the supplement block whose form is that of a character (Unicode's table of equivalent ideographs).
_PAIRS = (
    "⺎兀 ⺏尣 ⺐尢 ⺒巳 ⺓幺 ⺔彑 ⺕彐 ⺙攵 ⺛旡 ⺝月 ⺟母 ⺠民 ⺢氵 ⺣灬 ⺤爫 ⺥爫 "
    "⺦丬 ⺧牛 ⺨犭 ⺩王 ⺪疋 ⺫目 ⺬示 ⺭礻 ⺮竹 ⺯糸 ⺰纟 ⺱罓 ⺲罒 ⺳网 ⺶羊 ⺷羊 "
    "⺸羋 ⺻聿 ⺼肉 ⺽臼 ⺾艹 ⺿艹 ⻀艹 ⻁虎 ⻂衤 ⻃覀 ⻄西 ⻅见 ⻆角 ⻇角 ⻈讠 ⻉贝 "
    "⻊足 ⻋车 ⻌辶 ⻍辶 ⻏阝 ⻐钅 ⻑長 ⻒镸 ⻓长 ⻔门 ⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 "
    "⻜飞 ⻝食 ⻟飠 ⻠饣 ⻢马 ⻣骨 ⻤鬼 ⻥鱼 ⻦鸟 ⻧卤 ⻨麦 ⻩黄 ⻪黾 ⻬齐 ⻮齿 ⻯竜 "
    "⻰龙 ⻳龟 "
)
_SUPPLEMENT: dict[str, str] = dict(_PAIRS.split())  # type: ignore[arg-type]
_KANGXI = range(0x2F00, 0x2FD6)
_ONE = re.compile(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]{4})>$")
_RANGE = re.compile(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)> <([0-9A-Fa-f]{4})>$")


def with_characters(content: bytes) -> bytes:
    """The PDF with every glyph that stands for a radical told as the character."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    for each in writer._objects:
        if isinstance(each, StreamObject) and b"begincmap" in (told := each.get_data()):
            each.set_data(_mended(told))
    into = io.BytesIO()
    writer.write(into)
    return into.getvalue()


def character(code: int) -> int:
    """The character that looks like this radical; any other code as it is."""
    if code in _KANGXI:
        return ord(unicodedata.normalize("NFKC", chr(code)))
    return ord(_SUPPLEMENT.get(chr(code), chr(code)))


def _mended(cmap: bytes) -> bytes:
    """A map from glyphs to text, radicals told as characters; a range that holds one is told glyph by glyph."""
    lines: list[bytes] = []
    rows: list[bytes] = []
    section = b""
    for line in cmap.split(b"\n"):
        line = line.rstrip(b"\r")
        if line.endswith((b"beginbfchar", b"beginbfrange")):
            section, rows = line.split()[-1], []
        elif line in (b"endbfchar", b"endbfrange"):
            lines += _section(section, rows)
            section = b""
        elif section:
            rows.append(line)
        else:
            lines.append(line)
    return b"\n".join(lines)


def _section(section: bytes, rows: list[bytes]) -> list[bytes]:
    singles, ranges = [], []
    for row in rows:
        if section == b"beginbfchar" and (one := _ONE.match(row)):
            singles.append(b"<%s> <%04X>" % (one[1], character(int(one[2], 16))))
        elif section == b"beginbfrange" and (many := _RANGE.match(row)):
            first, last, code = int(many[1], 16), int(many[2], 16), int(many[3], 16)
            codes = range(code, code + last - first + 1)
            if all(character(each) == each for each in codes):
                ranges.append(row)
            else:
                width = len(many[1])
                singles += [b"<%0*X> <%04X>" % (width, first + n, character(it)) for n, it in enumerate(codes)]
        else:
            (singles if section == b"beginbfchar" else ranges).append(row)
    told = []
    for name, found in ((b"bfchar", singles), (b"bfrange", ranges)):
        for start in range(0, len(found), 100):  # a section holds no more
            part = found[start : start + 100]
            told += [b"%d begin%s" % (len(part), name), *part, b"end" + name]
    return told
