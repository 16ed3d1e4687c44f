"""Different spellings of one tag, brought together: `The  Beatles`, `beatles` and the odd `Beetles`."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

ARTICLE = re.compile(r"^(the|an?)\s+(?=\S{3})")
DIGITS = re.compile(r"\d+")
# Character n-grams only nominate; a nominee must then pass `_is_slip`.
NOMINATE = 0.25
# A slip is rare beside the right spelling: at least this many times rarer.
RARER = 4


def plain(tag: str) -> str:
    """A tag without differences of case, width, spacing, hyphens, quotes and a leading article."""
    text = unicodedata.normalize("NFKC", tag).casefold()
    text = " ".join(re.sub(r"[-_/'’`\"]+", " ", text).split())
    return ARTICLE.sub("", text)


def one_spelling(tags: Iterable[frozenset[str]]) -> dict[str, str]:
    """Map each tag to the most common spelling of the same thing (to itself, mostly).

    `tags` are the case-folded sets of all learners. Spellings are the same when their plain forms are,
    or when one is a rare slip of the pen beside a common one: alike in their character n-grams, with
    the same first letter and the same digits, and one or two edits apart.
    """
    times = Counter(tag for ones in tags for tag in ones)
    forms: Counter[str] = Counter()
    for tag, count in times.items():
        forms[plain(tag)] += count
    right = slips(forms)
    spelling: dict[str, str] = {}
    for tag, _ in sorted(times.items(), key=lambda item: (-item[1], item[0])):
        spelling.setdefault(right.get(plain(tag), plain(tag)), tag)
    return {tag: spelling[right.get(plain(tag), plain(tag))] for tag in times}


def slips(forms: Mapping[str, int]) -> dict[str, str]:
    """Each rare misspelt form with the common form that was meant."""
    common = sorted(form for form, times in forms.items() if times >= RARER and len(form) >= 5)
    rare = sorted(form for form, times in forms.items() if len(form) >= 5)
    if not common or not rare:
        return {}
    ngrams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), dtype=np.float32)
    known = ngrams.fit_transform(common)
    found: dict[str, str] = {}
    for start in range(0, len(rare), 512):
        alike = (ngrams.transform(rare[start : start + 512]) @ known.T).tocsr()
        for row, form in enumerate(rare[start : start + 512]):
            near = slice(alike.indptr[row], alike.indptr[row + 1])
            nominees = [
                common[j]
                for j, cosine in zip(alike.indices[near], alike.data[near], strict=True)
                if cosine >= NOMINATE and common[j] != form
            ]
            meant = [one for one in nominees if forms[one] >= RARER * forms[form] and _is_slip(form, one)]
            if meant:
                found[form] = min(meant, key=lambda one: (-forms[one], one))
    # A slip never leads to another slip.
    return {form: meant for form, meant in found.items() if meant not in found}


def _is_slip(form: str, meant: str) -> bool:
    if form[0] != meant[0] or DIGITS.findall(form) != DIGITS.findall(meant):
        return False
    allowed = 1 if min(len(form), len(meant)) < 9 else 2
    return edits(form, meant, allowed) <= allowed


def edits(a: str, b: str, most: int) -> int:
    """Optimal string alignment distance (insert, delete, replace, swap neighbours); `most` + 1 means more."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
