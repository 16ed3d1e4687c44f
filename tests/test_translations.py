"""Every text is marked for translation, and every marked text is translated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from babel.messages.catalog import Catalog, Message

from cohorts import language
from cohorts.exceptions import CohortsError, InvalidInput
from tests import catalogues, marks

LOCALES = [each for each in language.available() if each != language.ENGLISH]

COMMAND_LINE = {
    "__main__",
    "backends",
    "backups",
    "cli",
    "cli_backups",
    "cli_files",
    "cli_lists",
    "cli_match",
    "cli_rematch",
    "cli_search",
    "doctor",
    "outputs",
    "serving",
}
"""The command line speaks English."""
NO_WORDS = {"database", "dialects", "headings", "models", "old_enough", "sample", "sample_words", "week"}
"""Nothing of these is shown as it stands: keys, words in files of other tools, or made up to try things."""
ONLY_PROGRAMS = {"api_base", "api_schemas", "health", "learning", "preview"}
"""No page shows what these say: the API does, programs that use the matcher, and the command line."""
NAMES = {
    "Bahasa Indonesia",
    "Mon 18:00-21:00; Sat 09:00-12:00",
    "It cannot be put into words.",
    "The address took no mail before.",
    "AUC",
    "https://",
    ".csv,.tsv,.txt,.xlsx",
    ".csv,.tsv,.txt,.xlsx,.json,.ndjson,.jsonl,.zip,.gz,.tgz",
    "Discourse",
    "Slack",
    "Discord",
    "Zulip",
    "xAPI",
    "{age}",
    "website",
    "image/png",
    "summary_large_image",
}
"""A language's own name, names of other tools, what is written in files, what the outbox says to whoever runs
the site, and values that only programs read.
"""


def unmarked(find: Callable[[str], list[marks.Finding]], *patterns: str) -> list[str]:
    """Return where in which files unmarked texts stand."""
    return [
        f"{file.relative_to(catalogues.ROOT)}:{line}: {text}"
        for file in marks.files(*patterns)
        if file.stem not in COMMAND_LINE | NO_WORDS | ONLY_PROGRAMS
        for line, text in find(file.read_text())
        if text not in NAMES
    ]


def test_every_text_of_a_template_is_marked() -> None:
    assert len(marks.files("web/templates/**/*.html", "cohorts/emails/*.txt")) > 40
    assert unmarked(marks.in_template, "web/templates/**/*.html", "cohorts/emails/*.txt") == []


def test_every_sentence_of_a_module_is_marked() -> None:
    assert len(marks.files("web/*.py", "cohorts/*.py")) > 60
    assert unmarked(marks.in_python, "web/*.py", "cohorts/*.py") == []


def test_every_sentence_of_the_matcher_is_marked() -> None:
    assert len(marks.files("matcher/*.py")) > 40
    assert unmarked(marks.in_python, "matcher/*.py") == []


def test_scripts_have_no_words_of_their_own() -> None:
    assert len(marks.files("web/static/*.js")) >= 4
    assert unmarked(marks.in_script, "web/static/*.js") == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Plain words</p>",
        "<p>{{ _('Marked') }} and not</p>",
        '<p aria-label="Read out">1</p>',
        '<input placeholder="Type">',
        "<p>{{ 'Yes' if x else _('No') }}</p>",
        "{{ field(f, hint='As you like.') }}",
        "{{ macro('Some words') }}",
        "{% set words = {'a': 'Draft'} %}",
        "{% if x %}<p>Words</p>{% endif %}",
        "{% trans %}Marked{% endtrans %} not",
    ],
)
def test_unmarked_texts_of_templates_are_found(source: str) -> None:
    assert len(marks.in_template(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "<p>{{ _('Plain words') }}</p>",
        "{% trans n=1 %}One{% pluralize %}Many{% endtrans %}",
        "<p class='Big Letters'>{{ ngettext('A', 'B', n) }} · 12</p>",
        "<svg><path d='M0 0Z'/></svg><code>Mon 18:00</code>",
        "{% if x == 'Open sesame' %}1{% endif %}{# A comment #}",
    ],
)
def test_marked_texts_of_templates_are_not(source: str) -> None:
    assert marks.in_template(source) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("flash('Your answers are saved.')", 1),
        ("flash(f'Saved {n} answers.')", 1),
        ("flash(_('Your answers are saved.'))", 0),
        ("name = StringField('Name')", 1),
        ("name = StringField(lazy('Name'))", 0),
        ("raise Conflict('Somebody else was faster.')", 1),
        ("'''A docstring of a module.'''", 0),
        ("_log.warning('Nothing to be read')", 0),
        ("key = 'not_words'", 0),
        ("watch.report(0.5, 'Improving the cohorts')", 1),
        ("say_number('Add %(num)s hour.', 'Add %(num)s hours.', n)", 0),
    ],
)
def test_unmarked_sentences_of_modules_are_found(source: str, found: int) -> None:
    assert len(marks.in_python(source)) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('note.textContent = "Copied";', 1),
        ("note.textContent = `${n} shown`;", 1),
        ("note.textContent = note.dataset.words;", 0),
        ('element.querySelector("[data-label]");', 0),
        ("// A comment about things.", 0),
    ],
)
def test_words_of_scripts_are_found(source: str, found: int) -> None:
    assert len(marks.in_script(source)) == found


def test_every_error_has_words_of_its_own() -> None:
    def kinds(kind: type[CohortsError]) -> Iterator[type[CohortsError]]:
        yield kind
        for each in kind.__subclasses__():
            yield from kinds(each)

    silent = [
        each for each in kinds(CohortsError) if "said" not in vars(each) and "__init__" not in vars(each)
    ]
    assert [each.__name__ for each in silent] == []
    assert InvalidInput({"name": ["Who?"]}).errors == {"name": ["Who?"]}


@pytest.fixture(scope="module")
def sources() -> Catalog:
    """Read what the sources mark."""
    return catalogues.texts()


def identities(catalog: Catalog) -> set[tuple[str | None, object]]:
    return {(message.context, message.id) for message in catalog if message.id}


@pytest.mark.parametrize("locale", LOCALES)
def test_catalogue_has_exactly_the_texts_of_the_sources(locale: str, sources: Catalog) -> None:
    kept, marked = identities(catalogues.catalogue(locale)), identities(sources)
    assert len(marked) > 500
    advice = f"run ./run translate {locale}"
    assert (marked - kept, kept - marked) == (set(), set()), advice


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[srdg]|%%|\{\w+\}|<[^>]+>", text))


def faults(message: Message, forms: int) -> Iterator[str]:
    """Yield what is wrong with one translation."""
    ids = message.id if isinstance(message.id, tuple) else (message.id,)
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    if message.fuzzy:
        yield "fuzzy"
    if len(strings) != (forms if message.pluralizable else 1) or not all(strings):
        yield "not translated"
        return
    for text in strings:
        if placeholders(text) not in map(placeholders, ids):
            yield f"other placeholders: {text}"
        if text.strip() != text and ids[0].strip() == ids[0]:
            yield f"spaces around: {text!r}"
        if ids[-1][-1] in ".:?" and text[-1] not in ".:?!":
            yield f"ends differently: {text}"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated(locale: str) -> None:
    kept = catalogues.catalogue(locale)
    wrong = {str(m.id): found for m in kept if m.id and (found := list(faults(m, kept.num_plurals)))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (Message("One", ""), "not translated"),
        (Message("One", "Uno", flags={"fuzzy"}), "fuzzy"),
        (Message("Hello %(name)s", "Hola %(nombre)s"), "other placeholders: Hola %(nombre)s"),
        (Message("A <b>word</b>", "Una palabra"), "other placeholders: Una palabra"),
        (Message(("%(num)s day", "%(num)s days"), ("%(num)s día", "")), "not translated"),
        (Message("Really?", "De verdad"), "ends differently: De verdad"),
    ],
)
def test_faults_of_translations_are_found(message: Message, fault: str) -> None:
    assert list(faults(message, 2)) == [fault]


@pytest.mark.parametrize("locale", LOCALES)
def test_translations_can_be_filled_in(locale: str) -> None:
    """Every translation takes the values its English takes, in the way the program puts them in."""
    with language.using(locale):
        for message in catalogues.catalogue(locale):
            for text in message.string if isinstance(message.string, tuple) else (message.string,):
                if message.id and "%" in text:
                    names = re.findall(r"%\((\w+)\)", text)
                    assert text % dict.fromkeys(names, 1)
