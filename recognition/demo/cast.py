"""Names of people, events and places. All are invented; women and men take turns, as `make_look` draws them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

_NAMES = """
Amara Okafor, Daniel Brandt, Mei-Lin Zhou, Tomás Herrera, Ingrid Solberg, Kwame Mensah, Priya Raman, Lukas Novák,
Zoë Martens, Yusuf Demir, Hana Kobayashi, Elias Lindqvist, Fatima El Amrani, Marco Benedetti, Chiara Fontana,
Oluwaseun Adeyemi, Sofia Petrova, Rafael Monteiro, Noor Haddad, Henrik Aalto, Grace Wanjiru, Mateo Vargas,
Leila Farahani, Jonas Becker, Aiko Tanabe, Samuel Okoye, Ana Lúcia Prado, Viktor Horvat, Nadia Rahman, Liam Gallagher,
Isabel Quintero, Arjun Mehta, Freya Nygaard, Tariq Mansour, Camille Laurent, Bao Nguyen, Thandiwe Dlamini,
Piotr Zielinski, Lucía Navarro, Emre Yildiz, Saoirse Byrne, Kenji Morita, Adaeze Nwosu, Felix Steiner, Roza Karimova,
Diego Fuentes, Marta Kowalska, Abdi Warsame, Elena Marchetti, Min-jun Park, Jasmine Osei, Anders Holm,
Shirin Daneshvar, Gabriel Costa, Olivia Fairbanks, Ravi Pillai, Wanjiku Kamau, Stefan Ionescu, Yara Khoury, Noah Dekker
"""
NAMES = [" ".join(name.split()) for name in _NAMES.split(",")]
# Name, place, month and day, from the first to the last of a year.
_EVENTS = [
    ("New Year reception", "Senate Hall", 1, 16),
    ("Career fair", "North Foyer", 2, 11),
    ("Winter concert", "Great Hall", 2, 27),
    ("Open house", "Main Lawn", 3, 14),
    ("Research slam", "Auditorium", 4, 9),
    ("Alumni weekend", "Main Lawn", 4, 25),
    ("Spring lecture", "Auditorium", 5, 7),
    ("Honors night", "Great Hall", 5, 21),
    ("Science fair", "North Foyer", 6, 4),
    ("Graduation", "Main Lawn", 6, 19),
]
# The backdrop of each place: a number for `draw_scene`.
_BACKDROPS = {"Senate Hall": 0, "Main Lawn": 1, "Great Hall": 2, "North Foyer": 3, "Auditorium": 6}
_LAST_YEAR = 2026


@dataclass(frozen=True, slots=True)
class Occasion:
    name: str
    place: str
    held_on: date
    backdrop: int


def name_of(number: int) -> str:
    """The list once, then with a number behind: every name is another one."""
    turn, index = divmod(number, len(NAMES))
    return f"{NAMES[index]} {turn + 1}" if turn else NAMES[index]


def occasions(count: int) -> list[Occasion]:
    """The `count` last ones up to the graduation of 2026, the oldest first."""
    found = []
    for number in range(count):
        years, index = divmod(number, len(_EVENTS))
        name, place, month, day = _EVENTS[-1 - index]
        year = _LAST_YEAR - years
        found.append(Occasion(f"{name} {year}", place, date(year, month, day), _BACKDROPS[place]))
    return found[::-1]
