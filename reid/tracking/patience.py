"""Calls that end: a server may be down, hang, or answer a byte at a time, and MLflow itself would wait for it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
CALL_SECONDS = 60.0
FILES_SECONDS = 300.0
SENDING_FILES = ("log_artifact", "log_artifacts")


class Patience:
    """Calls of one server, each given up after a while. While one hangs that was given up, no other is begun."""

    def __init__(self) -> None:
        self._given_up: list[Callable[[], bool]] = []

    def call(self, seconds: float, function: Callable[Given, Answer], *args: Given.args, **kw: Given.kwargs) -> Answer:
        """What `function` returns or raises. Raises TimeoutError after `seconds`; its thread then dies with us.

        A time limit of the socket would not do: it begins anew with every byte.
        """
        if any(not is_done() for is_done in self._given_up):
            raise TimeoutError("an earlier call still waits for its answer")
        answer: Future[Answer] = Future()

        def work() -> None:
            try:
                answer.set_result(function(*args, **kw))
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=work, name="mlflow call", daemon=True).start()
        try:
            return answer.result(seconds)
        except TimeoutError:
            if answer.done():
                raise
            self._given_up.append(answer.done)
            raise TimeoutError(f"no whole answer within {seconds:g} s") from None


class Patient:
    """An object whose methods are called with patience."""

    def __init__(self, target: object, patience: Patience) -> None:
        self._target, self._patience = target, patience

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._target, name)

        def call(*args: object, **kw: object) -> object:
            seconds = FILES_SECONDS if name in SENDING_FILES else CALL_SECONDS
            return self._patience.call(seconds, method, *args, **kw)

        return call
