"""Looks through contents a batch at a time; where there are many batches, in processes beside this one."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from shipper.check.hygiene.found import Found

if TYPE_CHECKING:
    # What is looked at in every commit fits into this process, which does not pay for more.
    from concurrent.futures import Executor, Future

# Much less, and handing it over costs more than looking through it.
_BATCH_BYTES = 512 * 1024
# Less is looked through in the time that a process takes to start.
_WORTH_BYTES = 3 * 1024 * 1024
# Read, and waiting or looked through: what is held in memory has a limit.
_BATCHES_AHEAD = 12
_MOST_PROCESSES = 8

Subject = TypeVar("Subject")
# The path, the contents, and whether only what has an unmistakable form is looked for.
Question = tuple[str, bytes, bool]


class ContentsRule(Protocol):
    """Says what is wrong with contents; `shaped_only` asks for what has an unmistakable form."""

    def __call__(self, path: str, data: bytes, *, shaped_only: bool = False) -> list[Found]:
        """Return what is wrong with `data`, the contents of `path`."""


@dataclass
class _Batch(Generic[Subject]):
    subjects: list[Subject] = field(default_factory=list)
    questions: list[Question | None] = field(default_factory=list)
    held: int = 0
    asked: int = 0
    answers: Future[list[list[Found] | None]] | None = None

    def add(self, subject: Subject, held: int, question: Question | None) -> None:
        self.subjects.append(subject)
        self.questions.append(question)
        self.held += held
        self.asked += len(question[1]) if question else 0

    def begin(self, executor: Executor, rule: ContentsRule) -> None:
        if self.asked:
            # A process was killed, for want of memory for one: all that is left is looked through here.
            with suppress(BrokenExecutor):
                self.answers = executor.submit(_look, rule, self.questions)

    def finish(self) -> Iterator[tuple[Subject, list[Found] | None]]:
        answers: list[list[Found] | None] = [None] * len(self.subjects)
        if self.answers is not None:
            with suppress(BrokenExecutor):
                answers = self.answers.result()
        yield from zip(self.subjects, answers, strict=True)


def look_ahead(
    subjects: Iterable[Subject], question_of: Callable[[Subject], tuple[int, Question | None]], rule: ContentsRule
) -> Iterator[tuple[Subject, list[Found] | None]]:
    """Yield every subject in its order, with what the rule found in its contents, None where that is still to be asked.

    `question_of` says how many bytes a subject holds in memory from then on, and what is asked about it. None
    comes for everything when there is little, for a subject without a question, and for one for which the rule failed:
    asking again tells why. `rule` has to be a function of a module.
    """
    waiting: deque[_Batch[Subject]] = deque()
    executor: Executor | None = None
    processes = min(os.cpu_count() or 1, _MOST_PROCESSES)
    with ExitStack() as stack:
        for batch in _batches(subjects, question_of):
            waiting.append(batch)
            if executor is not None:
                batch.begin(executor, rule)
            elif processes > 1 and sum(one.asked for one in waiting) >= _WORTH_BYTES:
                executor = _start(processes, stack)
                for one in waiting:
                    one.begin(executor, rule)
            if len(waiting) == _BATCHES_AHEAD:
                yield from waiting.popleft().finish()
        while waiting:
            yield from waiting.popleft().finish()


def _batches(
    subjects: Iterable[Subject], question_of: Callable[[Subject], tuple[int, Question | None]]
) -> Iterator[_Batch[Subject]]:
    batch: _Batch[Subject] = _Batch()
    for subject in subjects:
        batch.add(subject, *question_of(subject))
        if batch.held >= _BATCH_BYTES:
            yield batch
            batch = _Batch()
    yield batch


def _start(processes: int, stack: ExitStack) -> Executor:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Not forked: a ship looks while its other threads build, and what they hold would stay held in a copy.
    executor = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_leave_ctrl_c_to_the_first)
    stack.callback(executor.shutdown, cancel_futures=True)
    return executor


def _leave_ctrl_c_to_the_first() -> None:
    """Ignore it: a terminal sends it to every process, and the first one ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _look(rule: ContentsRule, questions: list[Question | None]) -> list[list[Found] | None]:
    return [_ask(rule, question) if question else None for question in questions]


def _ask(rule: ContentsRule, question: Question) -> list[Found] | None:
    path, data, shaped_only = question
    try:
        return rule(path, data, shaped_only=shaped_only)
    except Exception:  # asked again where it can be told
        return None
