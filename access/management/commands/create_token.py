"""Make an API token for an account, for a script that nobody signs in for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from access.scopes import READ, SCOPES
from access.tokens import TokenRefused, create_token


class Command(BaseCommand):
    help = "Make an API token. Prints the token alone: it is shown this once and kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "user", metavar="USER", help="the account that the token acts for, with its roles"
        )
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument(
            "--scope",
            action="append",
            choices=SCOPES,
            metavar="SCOPE",
            help=f"one or more of {', '.join(SCOPES)}",
        )
        parser.add_argument(
            "--days", type=int, default=90, help="how long it is valid (default 90, at most 366)"
        )

    def handle(
        self, *args: Any, user: str, name: str, scope: list[str] | None, days: int, **options: Any
    ) -> None:
        account = User.objects.filter(username=user, is_active=True).first()
        if account is None:
            raise CommandError("There is no active account of this name. Make one in the admin, under Users.")
        # Beyond a year create_token refuses; a number beyond all dates must not be a traceback.
        expires_at = timezone.now() + timedelta(days=max(-1, min(days, 10_000)))
        try:
            made = create_token(user=account, name=name, scopes=scope or [READ], expires_at=expires_at)
        except TokenRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(made.secret)
        self.stderr.write(
            f"Token {made.token.prefix} of {account.get_username()}: {', '.join(made.token.scopes)}; "
            f"valid until {timezone.localtime(made.token.expires_at):%Y-%m-%d}. Keep it like a password."
        )
