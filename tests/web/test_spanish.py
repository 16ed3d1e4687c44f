"""Every page as somebody who reads Spanish gets it: not a word of the English catalogue is left in it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from io import StringIO
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest
from markupsafe import escape
from sqlalchemy import select

from cohorts import dry_runs, language
from cohorts.models import Cohort, Course, ExportPreset, Upload, UploadStage
from tests import catalogues, marks, tool_files
from tests.browser.scenes import fill, fill_bare
from tests.browser.states import STATES, State
from tests.browser.world import World, served

WEEKDAYS_AND_MONTHS = re.compile(
    r"\b(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|\b(January|February|March|April|June|July|August)\b"
)
NAMES = {"Cohorts", "UTC"}


class Pieces(HTMLParser):
    """Collects the texts of a page, and what is read out or shown of its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("code", "script")
        self.found += [value or "" for name, value in attributes if name in marks.VISIBLE | {"data-words"}]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("code", "script")

    def handle_data(self, text: str) -> None:
        if not self._silent:
            self.found.append(" ".join(text.split()))


@pytest.fixture(scope="module")
def english() -> re.Pattern[str]:
    """Recognize every English text that says something else in Spanish, whatever its values are."""
    patterns = set()
    for message in catalogues.catalogue("es"):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        for text in ids:
            if text and text not in message.string:
                # What stands between tags is a piece of its own in the page; so is a text with values.
                for part in re.split(r"<[^>]+>", text):
                    words = re.split(r"%\(\w+\)[srdg]|\{\w+\}", part.strip().replace("%%", "%"))
                    if len(re.findall(r"[^\W\d_]", "".join(words))) > 3:
                        patterns.add(".+".join(map(re.escape, words)))
    return re.compile("|".join(sorted(patterns)))


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, World]]:
    """Serve a site with something of everything, and one without anything."""
    folder = tmp_path_factory.mktemp("spanish")
    for name in ("full", "bare"):
        (folder / name).mkdir()
    with served(folder / "full", fill) as full, served(folder / "bare", fill_bare) as bare:
        with full.database.transaction() as session, language.using("es"):
            for upload in session.scalars(select(Upload).where(Upload.stage == UploadStage.READ)):
                dry_runs.ask(session, upload)  # what is wrong with a file is told to whoever brings it
        yield {False: full, True: bare}


@pytest.fixture(scope="module")
def browsers(worlds: dict[bool, World]) -> dict[str, OpenerDirector]:
    """Give a browser for each who signs in, and one for nobody."""
    found = {"": build_opener(HTTPCookieProcessor(CookieJar()))}
    for who, user in worlds[False].users.items():
        found[who] = build_opener(HTTPCookieProcessor(CookieJar()))
        address = worlds[False].links.sign_in(user)
        token = re.search('name="csrf_token" value="([^"]+)"', fetch(found[who], address))
        assert token is not None
        fetch(found[who], address, csrf_token=token[1])
    return found


@pytest.fixture(scope="module")
def stored(worlds: dict[bool, World]) -> dict[bool, list[str]]:
    """Give what organisers wrote and what matches once left in English alone; the longest first."""
    found = {}
    for is_bare, world in worlds.items():
        with world.database.reading() as session:
            texts = {text for row in session.execute(select(Course.title, Course.summary)) for text in row}
            texts |= set(session.scalars(select(ExportPreset.name)))
            for name, reasons in session.execute(select(Cohort.name, Cohort.reasons)):
                texts |= {name, *(each for each in reasons if isinstance(each, str))}
        found[is_bare] = sorted((str(escape(text)) for text in texts if text), key=len, reverse=True)
    return found


@pytest.fixture(scope="module")
def brought(worlds: dict[bool, World]) -> set[str]:
    """Give what stands in the cells of files that wait to be imported."""
    with worlds[False].database.reading() as session:
        files = [content.decode() for content in session.scalars(select(Upload.content))]
    rows = [*tool_files.TITLED, *(row for file in files for row in csv.reader(StringIO(file)))]
    return {"Answers", *(" ".join(cell.split()) for row in rows for cell in row)}


def fetch(browser: OpenerDirector, address: str, **form: str) -> str:
    request = Request(address, urlencode(form).encode() if form else None, {"Accept-Language": "es-ES,es"})
    try:
        with browser.open(request) as answer:
            text: bytes = answer.read()
    except HTTPError as error:
        text = error.read()
    return text.decode()


@pytest.mark.parametrize("state", [s for s in STATES if s.act is None and not s.rtl], ids=lambda s: s.name)
def test_page_has_no_english(
    worlds: dict[bool, World],
    browsers: dict[str, OpenerDirector],
    english: re.Pattern[str],
    stored: dict[bool, list[str]],
    brought: set[str],
    state: State,
) -> None:
    world = worlds[state.bare]
    page = fetch(browsers[state.who], world.address(state.path))
    assert '<html lang="es" dir="ltr">' in page
    for text in stored[state.bare]:
        page = page.replace(text, "")
    pieces = Pieces()
    pieces.feed(page)
    shown = [each for each in pieces.found if each.strip(" ·–") not in NAMES]
    if state.endpoint in ("organiser.import_columns", "organiser.dry_run"):
        shown = [
            re.sub("'([^']+)'", lambda cell: "'…'" if cell[1] in brought else cell[0], each)
            for each in shown
            if each not in brought
        ]
    cut = {text[: len(each) - 1] + "…" for each in shown if each.endswith("…") for text in stored[state.bare]}
    shown = [each for each in shown if each not in cut]  # a long name, as far as there is room
    assert [each for each in shown if english.fullmatch(each) or WEEKDAYS_AND_MONTHS.search(each)] == []


def test_english_would_be_found(english: re.Pattern[str]) -> None:
    assert english.fullmatch("Your answers are saved.")
    assert english.fullmatch("Hello Ana, is this you?")
    assert not english.fullmatch("Tus respuestas están guardadas.")
