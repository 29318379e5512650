"""What sqlfluff's templater lacks of dbt's `adapter`: a dispatched macro stands as a call of its name."""

from collections.abc import Callable


def dispatch(name: str) -> Callable[..., str]:
    """The macro of that name, rendered as `name(arguments)`: an expression, whatever the engine."""
    return lambda *arguments: f"{name}({', '.join(map(str, arguments))})"
