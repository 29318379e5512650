"""What sqlfluff's templater lacks of dbt's `return`."""

import sys
from types import ModuleType


class _Return(ModuleType):
    def __call__(self, value: object) -> object:
        return value


sys.modules[__name__].__class__ = _Return
