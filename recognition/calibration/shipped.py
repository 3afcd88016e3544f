"""What an embedder's strangers look like on outside people: the figures that a calibration starts from.

A file without curves says that the scores of other people are taken as Gaussian, with this mean and deviation.

- dlib-resnet-c1: 480 faces of 48 people, one to five references each, drawn 60 times among 47 others: 0.163 ± 0.151. The Gaussian then puts
  the line of 0.1 % among 47 people at 0.78; counted, it is 0.71, but of so few people that it may be luck.
- facenet-vggface2: a public benchmark of 1,000 pairs of LFW, detected by YuNet, has 0.085 ± 0.167 for two different people. The best of a
  few references is a quarter of a deviation more, as it is for dlib-resnet-c1.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from recognition.calibration.curves import Tail

_FOLDER = Path(__file__).with_name("shipped_tails")


@cache
def find_shipped_tail(embedder_id: str) -> Tail | None:
    """None for an embedder that nobody measured: then its own faces speak alone."""
    file = _FOLDER / f"{embedder_id}.json"
    return Tail.load(json.loads(file.read_text())) if file.is_file() else None
