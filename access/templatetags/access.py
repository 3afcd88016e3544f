"""`{% if request.user|may:"labeler" %}`: pages offer only what the user may use."""

from django import template

from access.roles import ROLES, User, any_roles_of

register = template.Library()


@register.filter
def may(user: User | str | None, roles: str) -> bool:
    """Whether the user has any of the roles, separated by commas, for all events or for some. A role that does not exist is a mistake in the template."""
    wanted = {role.strip() for role in roles.split(",")}
    unknown = wanted - set(ROLES)
    if unknown:
        raise template.TemplateSyntaxError(f"may takes roles of {ROLES}; got {', '.join(sorted(unknown))}.")
    # An error page may be drawn without a user: a missing variable arrives here as an empty string.
    return user is not None and not isinstance(user, str) and not wanted.isdisjoint(any_roles_of(user))
