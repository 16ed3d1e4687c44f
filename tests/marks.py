"""Finds texts that people read and that nobody marked for translation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

from cohorts import language

MARKS = frozenset(
    {"_", "gettext", "ngettext", "pgettext", "lazy_gettext", "lazy", "_l", "marked", "say", "say_number"}
)
VISIBLE = frozenset(
    {"alt", "aria-description", "aria-label", "content", "data-label", "placeholder", "title"}
)
HOLE = "\ufffc"
"""Stands for what an expression puts into a page."""

Finding = tuple[int, str]


def in_template(source: str) -> list[Finding]:
    """Return (line, text) for every text of a template that is not marked."""
    environment = Environment(autoescape=True)
    language.install(environment)
    tree = environment.parse(source)
    reader = _Reader()
    for line, text in _written(tree):
        reader.line = line
        reader.feed(text)
    reader.close()
    return sorted({*reader.found, *_said(tree)})


class _Reader(HTMLParser):
    """Collects what a page shows: text between tags, and attributes that are read out or shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Finding] = []
        self.line = 0
        self._silent = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("code", "script", "style")
        is_page = dict(attributes).get("name") in ("viewport", "theme-color")
        for name, value in attributes:
            if name in VISIBLE and not is_page:
                self._look(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("code", "script", "style")

    def handle_data(self, text: str) -> None:
        if not self._silent:
            self._look(text)

    def _look(self, text: str) -> None:
        for part in text.split(HOLE):
            # The beginning of an address, or a macro that writes attributes.
            is_address = re.match(r"\s*(/|[\w-]+=\")", part) is not None
            if re.search(r"[^\W\d_]", part) and part.strip() not in NAMES and not is_address:
                self.found.append((self.line, " ".join(part.split())))


NAMES = frozenset({"Cohorts", "· Cohorts", "UTC", "s", "Subject:"})
"""The product's name, and what is the same in every language."""


def _written(node: nodes.Node) -> Iterator[Finding]:
    """Yield what a template writes, in its order, with a hole for each expression."""
    if isinstance(node, nodes.TemplateData):
        yield node.lineno, node.data
    elif isinstance(node, nodes.Expr):
        yield node.lineno, HOLE
    else:
        for child in node.iter_child_nodes():
            if not isinstance(child, nodes.Expr) or isinstance(node, nodes.Output):
                yield from _written(child)


_CODE = re.compile(r" ?[a-z0-9_.:/%#*-]*(?: [a-z0-9_-]*--[a-z0-9_-]*| button| stack| card)*")
"""A name, a class, an address: nothing that anybody reads."""
_SILENT_CALLS = frozenset({"url_for", "strftime", "replace", "split", "get", "removeprefix"})


def _said(tree: nodes.Node) -> Iterator[Finding]:
    """Yield constants of expressions that read like words."""
    for node in _unmarked(tree):
        text = node.value
        is_words = isinstance(text, str) and not _CODE.fullmatch(text) and re.search(r"[^\W\d_]", text)
        if is_words and text.strip() not in NAMES | TECHNICAL:
            yield node.lineno, text


TECHNICAL = frozenset(
    {
        "GET",
        "POST",
        "_macros.html",
        "base.html",
        "\r\n",
        "CSV",
        "Excel",
        "JSON",
        ".csv,text/csv",
        "Mon 18:00-21:30; Sat 9:00-12:00",
    }
)


def _unmarked(node: nodes.Node) -> Iterator[nodes.Const]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Const):
            yield child
        elif isinstance(child, nodes.Call) and _name(child.node) in MARKS | _SILENT_CALLS:
            for part in (child.node, *child.kwargs, child.dyn_args, child.dyn_kwargs):
                if part is not None:
                    yield from _unmarked(part)
        elif isinstance(child, nodes.Compare | nodes.Test | nodes.Getitem | nodes.Include | nodes.Extends):
            continue
        else:
            yield from _unmarked(child)


def _name(node: nodes.Node) -> str:
    return node.name if isinstance(node, nodes.Name) else getattr(node, "attr", "")


# Python

_SENTENCE = re.compile(r"[A-Z“][\w’'“”-]*(?:,? \S+)+|[A-Z]\S+[.!?]")
_SILENT = frozenset(
    {"cast", "getLogger", "debug", "info", "warning", "error", "exception", "critical", "route"}
)
_FORMAL = frozenset({"Field", "Label", "flash", "SelectChoice"})


def in_python(source: str) -> list[Finding]:
    """Return (line, text) for every sentence in a module that is not marked: no docstring, no log."""
    return sorted(set(_sentences(ast.parse(source), False)))


def _sentences(node: ast.AST, is_label: bool) -> Iterator[Finding]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if _SENTENCE.match(node.value) or (is_label and node.value[:1].isupper()):
            yield node.lineno, node.value
        return
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in _SILENT:
            return
        if name in MARKS:
            for each in node.keywords:
                yield from _sentences(each, False)
            return
        is_label = name.endswith("Field") or name in _FORMAL
    for child in ast.iter_child_nodes(node):
        yield from _sentences(child, is_label and not isinstance(child, ast.Lambda))


# Scripts

_LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')


def in_script(source: str) -> list[Finding]:
    """Return (line, text) for every literal of a script that reads like words."""
    found = []
    for number, line in enumerate(source.splitlines(), start=1):
        code = re.sub(r"(^|\s)//.*|^\s*\*.*", "", line)
        for literal in _LITERAL.finditer(code):
            text = re.sub(r"\$\{[^}]*\}", HOLE, literal[1] or literal[2] or "")
            if re.search(
                r"\b[A-Z][a-z]+ |[a-z]+ [a-z]+ [a-z]+|[A-Z][a-z]+[.!?:]|" + HOLE + " [a-z]+$|^[A-Z][a-z]+$",
                text,
            ) and not re.search(r"[\[\]>#]|^--|Arrow|Shift|Home|End|Page|Space|Enter|Escape", text):
                found.append((number, text))
    return found


def files(*patterns: str) -> list[Path]:
    """Return the files of the project that fit."""
    root = Path(language.__file__).parent.parent
    return sorted(file for pattern in patterns for file in root.glob(pattern))
