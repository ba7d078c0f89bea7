"""Where the system forbids process_vm_readv(2), memory is read through /proc/self/mem; where that is forbidden too,
there is one clear error. A seccomp filter forbids it, for the rest of the process's life."""

import ctypes
import os
import struct
import sys

from stacklapse import Profiler
from work import assert_adds_up, names, spin

PROCESS_VM_READV, PREAD = 310, 17  # x86-64
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL_WITH_EPERM = 0x7FFF0000, 0x00050000 | 1


def forbid(*system_calls):
    program = struct.pack("HBBI", LOAD_WORD, 0, 0, 0)
    for left, number in zip(range(len(system_calls), 0, -1), system_calls, strict=True):
        program += struct.pack("HBBI", JUMP_IF_EQUAL, left, 0, number)
    program += struct.pack("HBBI", RETURN, 0, 0, ALLOW) + struct.pack("HBBI", RETURN, 0, 0, FAIL_WITH_EPERM)
    instructions = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions)))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_void_p(ctypes.addressof(header)), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def cook():
    spin(0.05)


def through_the_file():
    forbid(PROCESS_VM_READV)
    profiler = Profiler()
    for _ in range(2):
        profiler.reset()
        profiler.start()
        cook()
        session = profiler.stop()
        assert {"through_the_file", "cook"} <= names(session), names(session)
        assert_adds_up(session)


def not_at_all():
    forbid(PROCESS_VM_READV, PREAD)
    profiler = Profiler()
    for _ in range(2):
        files = sorted(os.listdir("/proc/self/fd"))
        try:
            profiler.start()
        except PermissionError as error:
            sentence = str(error)
            assert sentence.startswith("this process may not read its own memory: "), sentence
            assert "process_vm_readv" in sentence, sentence
            assert "/proc/self/mem" in sentence, sentence
            assert "\n" not in sentence, sentence
        else:
            raise AssertionError("it started")
        assert not profiler.is_running
        assert profiler.last_session is None
        assert sorted(os.listdir("/proc/self/fd")) == files
        assert len(os.listdir("/proc/self/task")) == 1


{"file": through_the_file, "nothing": not_at_all}[sys.argv[1]]()
