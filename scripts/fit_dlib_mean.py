"""Fit what the dlib embedder ships with, its mean and its automatic line, from the faces of photo folders.

    fit_dlib_mean.py PHOTOS [MORE ...] [--skip NAME ...] [--out FILE.npy]

Every face of every JPEG, PNG and WebP below the folders counts once, plain: mirrored, grey, blurred, darkened
and shrunk copies were tried and moved no figure by more than noise. The shipped mean came from the sample
photos without the folders that judge it, and five frames of the crowd video, which ffmpeg cuts out:

    ffmpeg -i video.mp4 -vf "select='not(mod(n,26))'" -vsync 0 frames/%03d.png
    fit_dlib_mean.py photos frames --skip lfw10 --skip orl

The line needs no names: two faces of one photo are two people. It is put 4.5 standard deviations above the mean
similarity of different people, one pair in 300,000 of a normal distribution: at 1,000 references a stranger then
meets somebody in 3 of 1,000 cases.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognition.detection import get_detector
from recognition.embedders.dlib_resnet import DIMENSION, MEAN_FILE, DlibEmbedder
from recognition.images import PhotoRefused, decode_photo
from recognition.vectors import normalize

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_DEVIATIONS = 4.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--skip", action="append", default=[], help="leave out folders of this name")
    parser.add_argument("--out", type=Path, help="write the mean here")
    args = parser.parse_args()
    photos = describe_faces(find_photos(args.folders, set(args.skip)))
    if not photos:
        parser.error("no face found")
    rows = np.concatenate(photos)
    mean = rows.mean(axis=0).astype(np.float32)
    print(f"mean of {len(rows)} faces, length {np.linalg.norm(mean):.4f}")
    print(f"largest difference to the shipped mean: {np.abs(mean - np.load(MEAN_FILE)).max():.6f}")
    different = similarities_of_different_people(photos, mean)
    if len(different) > 1:
        line = different.mean() + _DEVIATIONS * different.std()
        print(
            f"different people, {len(different)} pairs: {different.mean():.3f} ± {different.std():.3f}, "
            f"largest {different.max():.3f}; automatic line {line:.3f}"
        )
    if args.out:
        np.save(args.out, mean)


def find_photos(folders: list[Path], skipped: set[str]) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _SUFFIXES and not skipped & set(path.relative_to(folder).parts)
    ]


def describe_faces(files: list[Path]) -> list[NDArray[np.float32]]:
    """The net's raw descriptors (n, 128) of each photo with faces, with a line per photo."""
    embedder = DlibEmbedder()
    photos = []
    for path in files:
        try:
            rgb = decode_photo(path)
        except PhotoRefused as refused:
            print(f"{path}: {refused}")
            continue
        chips = [embedder.cut_input(rgb, face) for face in get_detector().detect(rgb)]
        print(f"{path}: {len(chips)} faces")
        if chips:
            photos.append(embedder.describe(np.stack(chips)))
    return photos


def similarities_of_different_people(
    photos: list[NDArray[np.float32]], mean: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Cosine of every two faces that are in one photo."""
    pairs = [np.empty(0, dtype=np.float32)]
    for rows in photos:
        vectors = normalize(rows.reshape(-1, DIMENSION) - mean)
        pairs.append((vectors @ vectors.T)[np.triu_indices(len(vectors), k=1)])
    return np.concatenate(pairs)


if __name__ == "__main__":
    main()
