"""Text as it may be stored and shown: without the passwords of URIs, without control characters.

Records, errors and what is told to MLflow or to a terminal go through here wherever others had a say in them.
"""

import re
from urllib.parse import unquote

HIDDEN = "***"
# In the address of a web page the password ends before a slash, as a port does; databases take all up to the last @.
# Of two slashes one is left where a URI was taken for a path.
_WEB = re.compile(r"(?<![\w+.-])(https?:/{1,2}[^\s:/?#@]*):([^\s/?#]*)@", re.IGNORECASE)
_DATABASE = re.compile(r"(?<![\w+.-])(?!https?:)[a-z][\w+.-]*:/{1,2}[^\s:/?#@]*:", re.IGNORECASE)
_QUERY = re.compile(r"([?&;][\w-]{0,40}?(?:password|passwd|pwd|secret|token|api_?key)=)([^\s&;#]+)", re.IGNORECASE)
_WORD = re.compile(r"(?<!\S)\S*@")  # up to its last @
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def hide(text: str, *uris: str) -> str:
    """`text` without the passwords of the URIs in it; those of `uris` are hidden wherever they are said."""
    for uri in filter(None, uris):
        text = text.replace(uri, hide_uri(uri))
        for password in _passwords(uri):
            text = text.replace(password, HIDDEN)
    return _QUERY.sub(rf"\1{HIDDEN}", _WORD.sub(lambda word: _without(word[0]), text))


def hide_uri(uri: str) -> str:
    """A URI without its password, which leaves one that can be opened where the environment has it."""
    before, at, host = uri.rpartition("@")
    return _QUERY.sub(rf"\1{HIDDEN}", _without(before + at) + host)


def printable(text: str) -> str:
    """`text` with control characters, but for tabs and ends of lines, as their code points: a terminal obeys none."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\r\n", "\n"))


def _without(word: str) -> str:
    """`word`, which ends with an @, without passwords."""
    found = _DATABASE.search(word)
    kept = _WEB.sub(r"\1@", word[: found.end() - 1] + "@" if found else word)
    return kept.replace("//@", "//")


def _passwords(uri: str) -> list[str]:
    """The passwords of a URI as it has them and as they are meant, the longest first."""
    before = uri.rpartition("@")[0]
    database = _DATABASE.search(before)
    found = [before[database.end() :]] if database else [each[2] for each in _WEB.finditer(uri)]
    found += [each[2] for each in _QUERY.finditer(uri)]
    found += [f"{each.partition('@')[2]}@" for each in found if "@" in each]  # which some take for a part of the host
    return sorted({form for each in found if each for form in (each, unquote(each))}, key=len, reverse=True)
