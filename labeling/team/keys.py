"""The single keys of the site and each account's own ones. A key means the same on every page that knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User

from labeling.models import Preferences


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleKey:
    """`usual` is what the markup writes into data-hotkey; an account may press another one for it."""

    action: str
    usual: str
    words: str


def _keys(**rows: tuple[str, str]) -> tuple[SingleKey, ...]:
    return tuple(
        SingleKey(action=action, usual=usual, words=words) for action, (usual, words) in rows.items()
    )


KEYS = _keys(
    first=("1", "The first suggested person, or the first answer"),
    second=("2", "The second"),
    third=("3", "The third"),
    fourth=("4", "The fourth"),
    fifth=("5", "The fifth"),
    accept=("a", "Accept the first; in a list, select all; on a photo, add a face"),
    reject=("x", "Not this person"),
    reject_all=("X", "None of these people"),
    search=("/", "Type a name, or search"),
    new=("n", "A new person of the typed name"),
    skip=("s", "Skip; on a decided card, the next one; on a page of a person, split"),
    ask=("S", "Ask a colleague"),
    stranger=("i", "A stranger"),
    not_a_face=("d", "Not a face"),
    poor=("q", "Too poor to tell"),
    rest=("h", "Ignore the rest of the photo"),
    undo=("u", "Undo your last decision"),
    all=("g", "Show all faces of a group, or the best"),
    parts=("o", "Split the group; on a page of a person, no reference"),
    eject=("e", "Take the selected faces out; on a page of a person, edit"),
    next=("j", "The next one, without deciding"),
    previous=("k", "The previous one"),
    photo=("f", "The full photo"),
    zoom=("z", "A larger picture"),
    boxes=("b", "Show or hide boxes and names"),
    merge=("m", "Merge"),
    swap=("w", "Swap the two sides of a merge; the selected faces are somebody else"),
    yes=("y", "Yes, the selected faces are this person"),
    reference=("r", "Make the selected faces references"),
    cover=("c", "Make the selected face the cover"),
    help=("?", "Help"),
)


class KeysRefused(Exception):
    """Nothing was saved. `problems` says by action what is wrong with its key."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("These keys cannot be used.")
        self.problems = problems


def read_preferences(user: User) -> Preferences:
    """Of the account; one that never chose anything has the usual keys."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


def own_keys(preferences: Preferences) -> dict[str, str]:
    """Own key by usual key, where they differ."""
    chosen: dict[str, str] = preferences.keys
    return {
        key.usual: chosen[key.action]
        for key in KEYS
        if key.action in chosen and chosen[key.action] != key.usual
    }


def choose_keys(*, user: User, chosen: Mapping[str, str]) -> Preferences:
    """Keep a key by action; an empty one is the usual one. Raises KeysRefused."""
    pressed = {key.action: chosen.get(key.action, "").strip() or key.usual for key in KEYS}
    problems = _find_problems(pressed)
    if problems:
        raise KeysRefused(problems)
    kept = {key.action: pressed[key.action] for key in KEYS if pressed[key.action] != key.usual}
    return _store(user, keys=kept)


def reset_keys(*, user: User) -> Preferences:
    return _store(user, keys={})


def switch_keys(*, user: User, on: bool) -> Preferences:
    """Single keys on or off: whoever speaks to the computer, or leans on the keyboard, needs them off."""
    return _store(user, single_keys=on)


def _find_problems(pressed: Mapping[str, str]) -> dict[str, str]:
    by_action = {key.action: key for key in KEYS}
    takers: dict[str, list[str]] = {}
    problems = {}
    for action, key in pressed.items():
        if len(key) != 1 or not key.isprintable():
            problems[action] = "One letter, digit or sign."
        takers.setdefault(key, []).append(action)
    for key, actions in takers.items():
        for action in actions if len(actions) > 1 else ():
            other = next(name for name in actions if name != action)
            problems.setdefault(action, f"“{key}” is taken by “{by_action[other].words}”.")
    return problems


def _store(user: User, **values: object) -> Preferences:
    preferences, _ = Preferences.objects.update_or_create(user=user, defaults=values)
    return preferences
