"""What a reader of a page sees of it, by tags, attributes, classes and the page's own style sheets.

A wide screen is assumed: rules for printers and narrow screens do not count. Style sheets that a
page only links are not in its file; for them stand the class names by which frameworks hide.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import lxml.html

Seen = Literal["shown", "unseen", "gone", "struck"]
"""`unseen` keeps its place, `gone` does not; `struck` is shown as not valid any more."""

_GONE_TAGS = {"script", "style", "template", "noscript", "head", "datalist", "title"}
_STRUCK_TAGS = {"s", "strike", "del"}
_GONE_CLASSES = {
    "d-none", "display-none", "element-hidden", "element-invisible", "hidden", "hide", "is-hidden",
    "offscreen", "screen-reader-only", "screen-reader-text", "show-for-sr", "sr-only", "u-hidden",
    "uk-hidden", "visually-hidden", "visuallyhidden",
}  # fmt: skip
_UNSEEN_CLASSES = {"invisible", "uk-invisible"}
_STRUCK_CLASSES = {"line-through", "text-decoration-line-through", "strikethrough"}
_SHOWN_WIDE = re.compile(r"(d-)?(sm|md|lg|xl|xxl|2xl)[-:](?!none|hidden|invisible)[\w-]+")
_GONE_WIDE = re.compile(r"(d-)?(sm|md|lg|xl|xxl|2xl)[-:](none|hidden)")

_COMMENT = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)
_BLOCK = re.compile(r"[{}]")
_NARROW = re.compile(r"print|speech|max-(?:device-)?width|prefers-|not\b", re.IGNORECASE)
_COMPOUND = re.compile(r"(?P<tag>[a-z][\w-]*|\*)?(?P<marks>(?:[.#][\w-]+)*)", re.IGNORECASE)
_ZERO = re.compile(r"(?:0+(?:\.0*)?|\.0+)(?:px|em|rem|pt|%)?")
_AWAY = re.compile(r"-\d{3,}(?:\.\d+)?(?:px|vw|%)|-\d{2,}(?:\.\d+)?(?:em|rem)")
_STRIKES: tuple[Seen, re.Pattern[str]] = ("struck", re.compile(r".*\bline-through\b.*"))
_HIDES: dict[str, tuple[Seen, re.Pattern[str]]] = {
    "display": ("gone", re.compile("none")),
    "visibility": ("unseen", re.compile("hidden|collapse")),
    "opacity": ("unseen", _ZERO),
    "font-size": ("unseen", _ZERO),
    "color": ("unseen", re.compile("transparent")),
    "text-decoration": _STRIKES,
    "text-decoration-line": _STRIKES,
    "left": ("gone", _AWAY),
    "top": ("gone", _AWAY),
    "text-indent": ("gone", _AWAY),
    "clip": ("gone", re.compile(r"rect\((?:[01](?:px)?[,\s]*){4}\)")),
}
"""The declarations that hide or strike, each with the values by which it does."""

Rank = tuple[bool, int, int, int, int]
"""How strong a declaration is: important, ids, classes, tags, order."""


@dataclass(frozen=True, slots=True)
class _Compound:
    tag: str
    id: str
    classes: frozenset[str]

    def fits(self, element: lxml.html.HtmlElement) -> bool:
        return (
            self.tag in ("", "*", element.tag)
            and self.id in ("", element.get("id"))
            and self.classes <= set(element.get("class", "").split())
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    compounds: tuple[_Compound, ...]
    rank: tuple[int, int, int, int]
    style: str

    def fits(self, element: lxml.html.HtmlElement) -> bool:
        """Return whether the last compound is the element's, and the others are around it."""
        *around, own = self.compounds
        if not own.fits(element):
            return False
        above = element.iterancestors()
        return all(any(outer.fits(each) for each in above) for outer in reversed(around))


@dataclass(slots=True)
class Styles:
    """The rules of a page's own style sheets that hide or strike, by a mark of their element."""

    rules: dict[str, list[_Rule]] = field(default_factory=lambda: defaultdict(list))
    alike: dict[tuple[str | None, ...], Seen] = field(default_factory=dict)
    """What was found of elements whose surroundings do not count."""

    @classmethod
    def of(cls, page: lxml.html.HtmlElement) -> Styles:
        """Collect the rules of a page, in its order."""
        styles, order = cls(), 0
        for sheet in page.iter("style"):
            if _NARROW.search(sheet.get("media", "")):
                continue
            for selectors, style in _declared(_COMMENT.sub("", sheet.text_content())):
                for selector in selectors.split(","):
                    order += 1
                    rule = _rule(selector, style, order)
                    if rule is not None and _properties(style):
                        own = rule.compounds[-1]
                        mark = next(iter(sorted(own.classes)), own.id or own.tag)
                        styles.rules[mark].append(rule)
        return styles

    def seen(self, element: lxml.html.HtmlElement) -> Seen:
        """Return how a reader sees an element itself, whatever is around it."""
        if element.tag in _GONE_TAGS or element.get("hidden") is not None:
            return "gone"
        marks = (element.tag, element.get("class"), element.get("style"), element.get("id"))
        if marks in self.alike:
            return self.alike[marks]
        classes, own = (marks[1] or "").split(), marks[2] or ""
        places = [*classes, marks[3] or "", element.tag, "*"]
        rules = [rule for place in places for rule in self.rules.get(place, ())]
        states = _states(element, classes, own, rules)
        order: tuple[Seen, ...] = ("gone", "unseen", "struck")
        seen: Seen = next((state for state in order if state in states), "shown")
        if all(len(rule.compounds) == 1 for rule in rules):
            self.alike[marks] = seen
        return seen


def _states(
    element: lxml.html.HtmlElement, classes: list[str], own: str, rules: list[_Rule]
) -> set[Seen]:
    """Return the states that the strongest declaration of each property gives an element."""
    strongest: dict[str, tuple[Rank, Seen]] = {}
    for rule in rules:
        if rule.fits(element):
            _stronger(strongest, rule.style, rule.rank)
    _stronger(strongest, own, (9, 0, 0, 0))
    states = {state for _, state in strongest.values()}
    if "display" not in strongest:
        states |= _by_class(classes)
    if element.tag in _STRUCK_TAGS and "text-decoration" not in strongest:
        states.add("struck")
    return states


def _by_class(classes: list[str]) -> set[Seen]:
    """Return what the names of classes say, as the usual frameworks use them."""
    names = {name.casefold() for name in classes}
    states = set[Seen]()
    wide = any(_SHOWN_WIDE.fullmatch(name) for name in names)
    if (names & _GONE_CLASSES and not wide) or any(_GONE_WIDE.fullmatch(n) for n in names):
        states.add("gone")
    if names & _UNSEEN_CLASSES:
        states.add("unseen")
    if names & _STRUCK_CLASSES:
        states.add("struck")
    return states


def _stronger(
    strongest: dict[str, tuple[Rank, Seen]], style: str, rank: tuple[int, int, int, int]
) -> None:
    for name, (state, important) in _properties(style).items():
        found = ((important, *rank), state)
        if name not in strongest or found[0] >= strongest[name][0]:
            strongest[name] = found


def _properties(style: str) -> dict[str, tuple[Seen, bool]]:
    """Return what a style says about being seen, by property, and whether that is important."""
    found: dict[str, tuple[Seen, bool]] = {}
    for declaration in style.split(";"):
        name, _, text = declaration.partition(":")
        name, value = name.strip().casefold(), text.strip().casefold()
        important = value.endswith("!important")
        state = _state(name, value.removesuffix("!important").strip())
        if state is not None:
            found[name.removesuffix("-line")] = (state, important)
    return found


def _state(name: str, value: str) -> Seen | None:
    """Return what one declaration makes of an element; None if it is about something else."""
    if name not in _HIDES:
        return None
    state, values = _HIDES[name]
    return state if values.fullmatch(value) else "shown"


def _declared(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield selectors and style of the rules of a style sheet that hold on a wide screen."""
    around: list[str] = []
    start = 0
    for block in _BLOCK.finditer(sheet):
        if block[0] == "{":
            around.append(sheet[start : block.start()].rpartition(";")[2].strip())
        elif around:
            selectors = around.pop()
            held = all(name.startswith("@") and not _NARROW.search(name) for name in around)
            if selectors and not selectors.startswith("@") and held:
                yield selectors, sheet[start : block.start()]
        start = block.end()


def _rule(selector: str, style: str, order: int) -> _Rule | None:
    """Return a rule; None for a selector of which a file alone does not say what it fits."""
    compounds = []
    for part in selector.replace(">", " ").split():
        match = _COMPOUND.fullmatch(part)
        if match is None:
            return None
        marks = re.findall(r"[.#][\w-]+", match["marks"])
        classes = frozenset(mark[1:] for mark in marks if mark[0] == ".")
        ids = [mark[1:] for mark in marks if mark[0] == "#"]
        tag = (match["tag"] or "").casefold()
        compounds.append(_Compound(tag, ids[0] if ids else "", classes))
    if not compounds:
        return None
    rank = (
        sum(bool(each.id) for each in compounds),
        sum(len(each.classes) for each in compounds),
        sum(each.tag not in ("", "*") for each in compounds),
        order,
    )
    return _Rule(tuple(compounds), rank, style)
