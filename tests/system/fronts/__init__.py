"""The web servers that Banter is run behind, each as fronts.base describes it."""

import importlib
import pkgutil

from fronts.base import Front

__all__ = ["FRONTS", "Front"]


def _found():
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        for one in vars(importlib.import_module(module.name)).values():
            if isinstance(one, type) and issubclass(one, Front) and "name" in vars(one) and one is not Front:
                yield one


FRONTS = sorted(set(_found()), key=lambda front: front.name)
