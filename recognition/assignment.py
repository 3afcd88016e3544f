"""Who is who on one photo, solved for all of its faces together: nobody is on a photo twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

# Similarities are float32, and their sums are compared: to be ahead by less is not to be ahead.
ROUNDING = 1e-6
# How far below the line nobody at all stands, beyond the margin: a face right on the line beats nobody by the margin.
_BELOW = 2 * ROUNDING


def assign_faces(
    near: Sequence[Mapping[int, float]],
    allowed: Sequence[Collection[int]],
    *,
    line: float,
    margin: float,
    verified: Collection[int] = (),
    named: Collection[int] = (),
) -> list[int | None]:
    """For each face the person that it is, or none where that is not clear.

    `near` are each face's people with their similarity, `allowed` those of them whose line it clears. `named` people are on
    the photo already, on another face; of the `verified` among them a person said so.

    A face may be its best person, or whoever is closer behind than the margin: its close calls. Of all ways to give every
    face one of these or nobody the one with the largest sum of similarities is taken,
    nobody counting the line less the margin. A face gets its name from it only if every solution that gives the face
    something else is worse by the margin: for a face alone that is the lead over the next person, and for two faces of
    one person the lead of the better one. So a face whose first and second are a close call gets the second where the
    first is clearly another face of the photo; but never somebody whom its own best beats by the margin.

    What is not certain decides nothing: a name that rests on another face's stands only if that one gets its name, too,
    and one that was given by the machine before is taken for this photo and settles no close call.
    """
    nobody = line - margin - _BELOW
    wanted = [_close_calls(one, margin) for one in near]
    free = [
        {person: value for person, value in one.items() if person not in named and value > nobody}
        for one in wanted
    ]
    names: dict[int, int] = {}
    for faces in _groups(free):
        for face, person, lead in _solve([free[face] for face in faces], nobody):
            if lead >= max(margin - ROUNDING, ROUNDING) and person in allowed[faces[face]]:
                names[faces[face]] = person
    while unsure := [
        face
        for face in names
        if not _is_settled(face, names, near[face], wanted, margin=margin, verified=verified)
    ]:
        for face in unsure:
            del names[face]
    return [names.get(face) for face in range(len(near))]


def is_ahead(lead: float, margin: float) -> bool:
    return lead >= margin - ROUNDING


def _close_calls(near: Mapping[int, float], margin: float) -> dict[int, float]:
    best = max(near.values(), default=0.0)
    return {
        person: value for person, value in near.items() if value == best or not is_ahead(best - value, margin)
    }


def _is_settled(
    face: int,
    names: Mapping[int, int],
    near: Mapping[int, float],
    wanted: Sequence[Mapping[int, float]],
    *,
    margin: float,
    verified: Collection[int],
) -> bool:
    """Whether everybody as close to this face, and every face as close to its person, is named otherwise for certain."""
    person = names[face]
    mine = near[person]
    # Who was no close call of the face had no part in the solution.
    settled = {*verified, *(other for at, other in names.items() if at != face)} & wanted[face].keys()
    rivals = {other for other, value in near.items() if not is_ahead(mine - value, margin)} - {person}
    contenders = [
        at
        for at, one in enumerate(wanted)
        if at != face and person in one and not is_ahead(mine - one[person], margin)
    ]
    return rivals <= settled and all(at in names for at in contenders)


def _groups(wanted: Sequence[Mapping[int, float]]) -> list[list[int]]:
    """Faces that want the same people, directly or by way of others; each group is solved alone."""
    groups: list[tuple[set[int], list[int]]] = []
    for face, people in enumerate(wanted):
        if not people:
            continue
        mine, faces, rest = set(people), [face], []
        for group in groups:
            if mine.isdisjoint(group[0]):
                rest.append(group)
            else:
                mine |= group[0]
                faces += group[1]
        groups = [*rest, (mine, sorted(faces))]
    return [faces for _, faces in groups]


def _solve(wanted: Sequence[Mapping[int, float]], nobody: float) -> list[tuple[int, int, float]]:
    """(face, person, lead) for every face that gets somebody; the lead is over the best solution where it does not."""
    if len(wanted) == 1:
        (person, best), *others = sorted(wanted[0].items(), key=lambda one: -one[1])
        return [(0, person, best - max([value for _, value in others] + [nobody]))]
    # Here and not above: pages hardly ever need it, and it takes a third of a second and 50 MB.
    from scipy.optimize import linear_sum_assignment

    people = sorted(set().union(*wanted))
    values = np.full((len(wanted), len(people) + len(wanted)), -np.inf)
    values[:, len(people) :] = nobody
    for face, one in enumerate(wanted):
        for person, value in one.items():
            values[face, people.index(person)] = value
    faces, columns = linear_sum_assignment(values, maximize=True)
    total = values[faces, columns].sum()
    found = []
    for face, column in zip(faces.tolist(), columns.tolist(), strict=True):
        if column < len(people):
            without = values.copy()
            without[face, column] = -np.inf
            rest = without[linear_sum_assignment(without, maximize=True)].sum()
            found.append((face, people[column], float(total - rest)))
    return found
