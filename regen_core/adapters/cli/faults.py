"""The world's faults as sentences and exit codes; a traceback is for our own mistakes only."""

from __future__ import annotations

import errno
import os
from enum import IntEnum, unique
from typing import Final

from regen_core.explain.blocks import printable
from regen_core.ports import StoreFault

__all__ = ["BrokenOff", "ExitCode", "WORLD", "cause_of_batch", "sentence"]


@unique
class ExitCode(IntEnum):
    """What the command tells the shell."""

    DONE = 0
    REFUSED = 1
    WRONG_USAGE = 2
    ENVIRONMENT_FAILED = 3


class BrokenOff(Exception):  # noqa: N818  # the word of the field
    """A command of several units of work that ended before its end; the message says why and what stays done."""


WORLD: Final = (StoreFault, OSError, KeyboardInterrupt, BrokenOff)
"""What the world may do to a command."""

_OF_ONE_UNIT: Final = ("Nothing of this operation was stored", "Nothing was stored")
"""What a store says of its unit of work; of a command that stores in batches that was one of them."""

_ADVICE: Final = {
    errno.ENOENT: "does not exist, or its directory doesn't. Check the path.",
    errno.ENOTDIR: "can't be reached: a part of its path is a file. Check the path.",
    errno.EISDIR: "is a directory, and a file is needed. Name a file.",
    errno.EACCES: "may not be opened: permission denied. Change its permissions or use another path.",
    errno.EPERM: "may not be opened: not permitted. Use another path.",
    errno.EROFS: "can't be written: its file system is read-only. Use another path.",
    errno.ENOSPC: "can't be written: the disk is full. Make room and repeat.",
    errno.EDQUOT: "can't be written: the disk quota is used up. Make room and repeat.",
    errno.EFBIG: "can't grow: the limit for a file's size is reached.",
    errno.EIO: "can't be read or written: the device reports an error.",
    errno.ENAMETOOLONG: "has a name that is too long.",
    errno.ELOOP: "can't be reached: its symbolic links go in circles.",
    errno.EPIPE: "is read by nobody any more.",
    errno.EMFILE: "can't be opened: too many files are open.",
}


def sentence(fault: BaseException) -> str:
    """What happened, to which file, and what to do.

    >>> sentence(FileNotFoundError(2, "No such file", "invoices.json"))
    "'invoices.json' does not exist, or its directory doesn't. Check the path."
    """
    if isinstance(fault, KeyboardInterrupt):
        return "Interrupted. What was finished before is stored; the rest was not begun or was undone."
    if not isinstance(fault, OSError):
        return printable(str(fault))
    if fault.errno == errno.ENOENT and fault.filename is None:
        return "The working directory isn't there any more. Change into one that is."
    name = "The output" if fault.filename is None else f"'{printable(os.fsdecode(fault.filename))}'"
    return f"{name} {_ADVICE.get(fault.errno or 0) or f'can not be used: {fault.strerror or type(fault).__name__}.'}"


def cause_of_batch(fault: BaseException) -> str:
    """Why a command that stores in batches ended in the middle of one, and what that means for the batch.

    >>> cause_of_batch(KeyboardInterrupt())
    'Interrupted. The batch under way is stored as a whole or not at all.'
    """
    if isinstance(fault, KeyboardInterrupt):
        return "Interrupted. The batch under way is stored as a whole or not at all."
    cause = sentence(fault)
    if isinstance(fault, StoreFault):
        for claim in _OF_ONE_UNIT:
            cause = cause.replace(claim, "Nothing of this batch was stored")
    return cause
