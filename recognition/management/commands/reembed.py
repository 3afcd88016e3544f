"""Change the embedder beside the running site: embed every face anew, compare, switch, and the way back."""

from __future__ import annotations

import json as _json
import os
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.active_embedder import NoActiveEmbedder
from recognition.embedders import EmbedderUnknown, WeightsMissing, WeightsRefused, embedders, get_embedder
from recognition.models import Reembedding
from recognition.reembedding import (
    BATCH,
    ReembeddingLost,
    ReembeddingRefused,
    cancel_reembedding,
    find_newest,
    find_open,
    find_target,
    forget_embeddings,
    is_worse,
    prepare_switch,
    start_reembedding,
    switch_back,
    switch_embedder,
)
from recognition.reembedding.report import describe_change, tell_lines

_State = Reembedding.State
_AGAIN = "Run the same command again: it goes on where it stopped."


class Command(BaseCommand):
    help = (
        "Change the embedder: embed every face anew while the site runs, compare the two, then switch at once. Names, "
        "verdicts, rejections and decisions stay. Killed or stopped, the same command goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--to", metavar="NAME", help=f"an embedder_id, or one of {', '.join(embedders.names())}"
        )
        what.add_argument("--switch", action="store_true", help="switch to the one that is ready")
        what.add_argument(
            "--back", action="store_true", help="go back to the embedder before the last switch"
        )
        what.add_argument("--cancel", action="store_true", help="give up the change under way")
        what.add_argument(
            "--forget",
            action="store_true",
            help="remove the embeddings of all embedders but the one in use; after that there is no way back",
        )
        what.add_argument("--status", action="store_true", help="how far it is, and what the report says")
        parser.add_argument(
            "--no-switch",
            action="store_true",
            help="with --to: stop when it is ready, to look at the report first",
        )
        parser.add_argument("--batch", type=int, default=BATCH, metavar="N", help="faces embedded together")
        parser.add_argument("--json", action="store_true", help="print the state as JSON")

    def handle(self, *args: Any, batch: int, no_switch: bool, json: bool, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch takes a number from 1 on.")
        try:
            if options["to"]:
                self._change(options["to"], batch, switch=not no_switch)
            elif options["switch"]:
                self._switch(_require(find_open()), batch)
            elif options["back"]:
                self._back(_require(find_newest()), batch)
            elif options["cancel"]:
                row = cancel_reembedding()
                self.stderr.write(f"Given up: {row.source} stays. To remove what was embedded: --forget")
            elif options["forget"]:
                with _bar("Removing", None) as tell:
                    removed = forget_embeddings(tell)
                self.stderr.write(f"{removed:,} embeddings removed.")
        except (ReembeddingRefused, ReembeddingLost, NoActiveEmbedder) as error:
            raise CommandError(str(error)) from error
        except (EmbedderUnknown, WeightsMissing, WeightsRefused) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
        self._report(as_json=json)

    def _change(self, name: str, batch: int, *, switch: bool) -> None:
        _be_nice()
        info = find_target(name)
        embedder = get_embedder(info.embedder_id)
        row = start_reembedding(info.embedder_id)
        with _bar("Embedding", row) as tell:
            prepare_switch(row, embedder, batch=batch, tell=tell)
        if not switch:
            return
        if is_worse(row.agreement):
            self.stderr.write(
                f"Not switched: {row.target} knows fewer of the labeled faces than {row.source}. Look at the report; to "
                "switch all the same: --switch"
            )
            return
        self._switch(row, batch)

    def _switch(self, row: Reembedding, batch: int) -> None:
        _be_nice()
        with _bar("Embedding what came since", None) as tell:
            switch_embedder(row, batch=batch, tell=tell)
        self.stderr.write(f"Switched: {row.target} is the embedder from now on. The way back: --back")

    def _back(self, row: Reembedding, batch: int) -> None:
        _be_nice()
        with _bar("Embedding what came since", None) as tell:
            switch_back(row, batch=batch, tell=tell)
        self.stderr.write(f"Switched back: {row.source} is the embedder again.")

    def _report(self, *, as_json: bool) -> None:
        facts = describe_change()
        if as_json:
            self.stdout.write(_json.dumps(facts, indent=2))
        else:
            self.stdout.write("\n".join(tell_lines(facts)))


class _bar:
    """A bar of the faces, with the time left; what a batch wrote moves it on."""

    def __init__(self, words: str, row: Reembedding | None) -> None:
        self._bar = tqdm(
            desc=words,
            unit="face",
            total=row.faces_total if row else None,
            initial=row.faces_done if row else 0,
            disable=None,
        )

    def __enter__(self) -> Callable[[int], object]:
        return self._bar.update

    def __exit__(self, *problem: object) -> None:
        self._bar.close()


def _require(row: Reembedding | None) -> Reembedding:
    if row is None:
        raise ReembeddingRefused("There is no change of the embedder. Begin one with --to")
    return row


def _be_nice() -> None:
    """The site and its workers come first."""
    os.setpriority(os.PRIO_PROCESS, 0, max(10, os.getpriority(os.PRIO_PROCESS, 0)))
