"""The texts of the program and their translations.

    python -m tests.catalogues

brings every ``cohorts/translations/<locale>/LC_MESSAGES/messages.po`` up to date with the sources: new texts
come in untranslated, texts that are gone go, and a translation stays with its text.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from cohorts import language

ROOT = Path(language.__file__).parent.parent
KEYWORDS = DEFAULT_KEYWORDS | {"_": None, "lazy_gettext": None, "lazy": None, "_l": None, "marked": None}
KEYWORDS |= {"say": None, "say_number": (1, 2)}


def texts() -> Catalog:
    """Return what the sources mark for translation, with the files it stands in."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    found = Catalog()
    for mapping in mappings:
        options = {name: value for name, value in mapping.items() if name not in ("method", "pattern")}
        for pattern in mapping["pattern"]:
            extracted = extract_from_dir(
                ROOT, [(pattern, mapping["method"])], {pattern: options}, KEYWORDS, ("Translators:",)
            )
            for file, _line, message, comments, context in extracted:
                found.add(message, locations=[(file, 0)], auto_comments=comments, context=context)
    return found


def path_of(locale: str) -> Path:
    """Return the file of a locale's translations."""
    return ROOT / "cohorts" / "translations" / locale / "LC_MESSAGES" / "messages.po"


def catalogue(locale: str) -> Catalog:
    """Return the translations of a locale as they are kept."""
    with path_of(locale).open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)


def update(locale: str) -> int:
    """Bring the translations of a locale up to date; return how many are missing."""
    kept = catalogue(locale) if path_of(locale).exists() else Catalog(locale)
    merged = Catalog(locale, project="cohorts", version="", header_comment=kept.header_comment, fuzzy=False)
    missing = 0
    for message in texts():
        if message.id:
            known = kept.get(message.id, message.context)
            places = [(file, None) for file in sorted({file for file, _ in message.locations})]
            merged.add(
                message.id,
                known.string if known and not known.fuzzy else None,
                places,
                message.flags,
                message.auto_comments,
                context=message.context,
            )
            missing += not (known and known.string and not known.fuzzy)
    path_of(locale).parent.mkdir(parents=True, exist_ok=True)
    with path_of(locale).open("wb") as file:
        write_po(file, merged, width=0, sort_by_file=True, include_lineno=False)
    # Who wrote when is told by the history of the file; here it would only be in the way of a merge.
    kept_lines = re.sub(
        r'"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Report-Msgid-Bugs-To'
        r"|Generated-By): .*\n",
        "",
        path_of(locale).read_text(),
    )
    path_of(locale).write_text(kept_lines)
    return missing


def main(locales: list[str]) -> None:
    """Bring some locales up to date, or all there are."""
    for locale in locales or [each for each in language.available() if each != language.ENGLISH]:
        print(f"{locale}: {update(locale)} texts have no translation")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
