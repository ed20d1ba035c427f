"""Plugins: files of the user's own, or installed packages, that register tricks, losses, backbones, layouts, metrics.

A file is named in a grid or study file (`plugins: [mine.py]`) or on the command line (`--plugin mine.py`), a package
announces its module as an entry point of the group `reid.plugins`.
"""

import hashlib
import importlib
import sys
import traceback
from collections.abc import Iterable, Sequence
from importlib.machinery import SourceFileLoader
from importlib.metadata import entry_points
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel, ConfigDict

from reid.errors import InputError
from reid.registry.registry import forget_all, registering

GROUP = "reid.plugins"


class Plugin(BaseModel):
    """A plugin as runs record it: its name, where it is from, and 16 digits of its file's SHA-256.

    It is the file at `path`, absolute, or where that is empty the installed `module`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    path: str = ""
    module: str = ""
    sha256: str

    @property
    def origin(self) -> str:
        """What tells it from every other plugin."""
        return self.path or self.module

    @property
    def file(self) -> Path | None:
        """Its source; None where its package is not installed."""
        if self.path:
            return Path(self.path)
        try:
            spec = find_spec(self.module)
        except ImportError:
            return None
        return Path(spec.origin) if spec and spec.origin else None


_active: dict[str, Plugin] = {}


def active_plugins() -> tuple[Plugin, ...]:
    """What is loaded now, in the order of loading."""
    return tuple(_active.values())


def load_plugins(files: Iterable[Path], where: str) -> None:
    """Load plugin files beside what is loaded already; one that has changed since is read again.

    Raises InputError that begins with `where` for a file that cannot be read, and one that names the line of a plugin
    where it fails.
    """
    for file in files:
        path = file.expanduser().resolve()
        _load(Plugin(name=path.stem, path=str(path), sha256=_digest(path, where)))


def load_asked(files: Iterable[str | Path], where: str) -> None:
    """Load the plugins that installed packages announce, and `files`. Raises InputError as `load_plugins` does."""
    _load_installed()
    load_plugins(map(Path, files), where)


def _load_installed() -> None:
    for entry in entry_points(group=GROUP):
        found = Plugin(name=entry.name, module=entry.module, sha256="")
        where = f"installed plugin {entry.name}"
        if found.file is None:
            raise InputError(f"{where}: there is no module {entry.module}; uninstall its package, or repair it")
        _load(found.model_copy(update={"sha256": _digest(found.file, where)}))


def activate(plugins: Sequence[Plugin]) -> None:
    """Load exactly the plugins that a run records, and unload all others.

    Raises InputError where one is absent here or not the file that the run was planned with.
    """
    wanted = {plugin.origin for plugin in plugins}
    for origin in [origin for origin in _active if origin not in wanted]:
        _unload(origin)
    for plugin in plugins:
        _load_unchanged(plugin)


def load_present(plugins: Iterable[Plugin]) -> list[str]:
    """Load those of the recorded plugins that can be had as they were; returns a line for each of the others."""
    lines = []
    for plugin in plugins:
        try:
            _load_unchanged(plugin)
        except InputError as error:
            lines.append(str(error))
    return lines


def _load_unchanged(plugin: Plugin) -> None:
    where = f"plugin {plugin.name}"
    if plugin.file is None:
        raise InputError(f"{where}: module {plugin.module} is not installed here; install its package")
    if (found := _digest(plugin.file, where)) != plugin.sha256:
        raise InputError(
            f"{where}: {plugin.file} has changed since this was planned (sha256 {found}, planned {plugin.sha256}); "
            "launch again, or put the file back"
        )
    _load(plugin)


def _load(plugin: Plugin) -> None:
    if _active.get(plugin.origin) == plugin:
        return
    _unload(plugin.origin)
    try:
        with registering(plugin.origin):
            _run(plugin)
    except InputError:
        forget_all(plugin.origin)
        raise
    except Exception as error:
        forget_all(plugin.origin)
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{plugin.file}:{_line(error, plugin.file)}: the plugin fails ({reason}); mend it") from error
    _active[plugin.origin] = plugin


def _unload(origin: str) -> None:
    forget_all(origin)
    _active.pop(origin, None)


def _run(plugin: Plugin) -> ModuleType:
    """Execute the module of a plugin, also where it was executed before."""
    if plugin.module:
        known = sys.modules.get(plugin.module)
        return importlib.reload(known) if known else importlib.import_module(plugin.module)
    name = f"reid_plugin_{hashlib.sha256(plugin.path.encode()).hexdigest()[:8]}_{plugin.name}"
    spec = spec_from_file_location(name, plugin.path)
    if spec is None or not isinstance(spec.loader, SourceFileLoader):
        raise InputError(f"{plugin.path}: a plugin is a Python file, its name must end in .py")
    module = module_from_spec(spec)
    sys.modules[name] = module
    # Not from a cache of its bytecode, which takes a file of the same size and second for the same.
    exec(spec.loader.source_to_code(spec.loader.get_data(plugin.path), plugin.path), vars(module))
    return module


def _digest(file: Path, where: str) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise InputError(
            f"{where}: {file} cannot be read ({error.strerror}); give the path of a Python file"
        ) from error


def _line(error: Exception, file: Path | None) -> int:
    """The last line of `file` that an error came through; of a syntax error where it is."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno or 1
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return lines[-1] if lines and lines[-1] else 1
