"""Names that are registered, by this package or by plugins."""

from reid.registry.plugins import (
    Plugin,
    activate,
    active_plugins,
    load_asked,
    load_plugins,
    load_present,
)
from reid.registry.registry import BUILT_IN, Registry, nearest

__all__ = [
    "BUILT_IN",
    "Plugin",
    "Registry",
    "activate",
    "active_plugins",
    "load_asked",
    "load_plugins",
    "load_present",
    "nearest",
]
