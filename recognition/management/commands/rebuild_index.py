"""Verify every stored vector of the active embedder, then make every process build its index anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from recognition.active_embedder import NoActiveEmbedder, get_active_embedder_id
from recognition.embedders import EmbedderUnknown, describe_embedder
from recognition.gallery_index import get_gallery_index, read_members
from recognition.gallery_journal import start_new_epoch
from recognition.models import Embedding


class Command(BaseCommand):
    help = (
        "Verify every stored vector of the active embedder and make every running process rebuild its index before its "
        "next search. Exits 1 if a stored vector is broken; the others are searched all the same."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            embedder_id = get_active_embedder_id()
            broken = self._verify(embedder_id, describe_embedder(embedder_id).dimension)
            start_new_epoch()
            index = get_gallery_index()
        except (NoActiveEmbedder, EmbedderUnknown) as error:
            raise CommandError(str(error)) from error
        index.refresh()
        index.wait_until_settled()
        status = index.status()
        self.stdout.write(
            f"Index rebuilt: {status.count} gallery faces, {status.kind}, version {status.version}, "
            f"in {status.loaded_seconds:.2f} s."
        )
        if broken:
            for face_pk, reason in sorted(broken.items()):
                self.stdout.write(f"face {face_pk}: {reason}")
            raise CommandError(
                f"{len(broken)} stored vectors of {embedder_id} are broken and cannot be searched."
            )

    def _verify(self, embedder_id: str, dimension: int) -> dict[int, str]:
        embeddings = Embedding.objects.with_vectors().filter(embedder_id=embedder_id)
        broken: dict[int, str] = {}
        verified = 0
        # The real stderr, not the command's: that one ends every refresh of the bar with a new line.
        with tqdm(total=embeddings.count(), unit="vector", desc="verifying", disable=None) as bar:
            for members in read_members(embeddings, dimension):
                broken.update(members.broken)
                verified += members.ids.size + len(members.broken)
                bar.update(verified - bar.n)
        self.stdout.write(f"{verified} stored vectors of {embedder_id} verified, {len(broken)} broken.")
        return broken
