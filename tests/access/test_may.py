"""The template filter that hides what a role may not use."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.template import Context, Template, TemplateSyntaxError

pytestmark = pytest.mark.django_db


def drawn(user: object, roles: str) -> bool:
    template = Template("{% load access %}{% if user|may:roles %}yes{% endif %}")
    return template.render(Context({"user": user, "roles": roles})) == "yes"


def test_a_role_is_asked_for(labeler: User, uploader: User) -> None:
    assert drawn(labeler, "labeler")
    assert not drawn(uploader, "labeler")


def test_one_of_several_is_enough(uploader: User) -> None:
    assert drawn(uploader, "labeler,uploader")


def test_a_manager_may_what_the_others_may(manager: User) -> None:
    assert drawn(manager, "uploader")
    assert drawn(manager, "labeler")


def test_nobody_may_nothing() -> None:
    assert not drawn(AnonymousUser(), "labeler")
    assert not drawn(None, "labeler")
    assert not drawn("", "labeler")


def test_a_misspelt_role_is_a_mistake_not_a_no(labeler: User) -> None:
    with pytest.raises(TemplateSyntaxError):
        drawn(labeler, "labeller")
