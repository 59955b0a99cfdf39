"""Numbers of the system calls that a child makes, and of those that it is refused by name, per architecture."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """`audit`: as the kernel names it to a filter. `numbers`: of calls by name; those that it lacks are left out."""

    audit: int
    numbers: Mapping[str, int]


# Of <asm/unistd_64.h>, the calls of media and of memory first: a filter compares one by one.
_X86_64 = {
    "read": 0, "write": 1, "recvfrom": 45, "sendto": 44, "recvmsg": 47, "sendmsg": 46, "futex": 202, "mmap": 9,
    "munmap": 11, "madvise": 28, "brk": 12, "mremap": 25, "mprotect": 10, "poll": 7, "ppoll": 271, "clock_gettime": 228,
    "close": 3, "fstat": 5, "stat": 4, "lstat": 6, "newfstatat": 262, "statx": 332, "lseek": 8, "pread64": 17,
    "readv": 19, "writev": 20, "getdents64": 217, "readlink": 89, "readlinkat": 267, "getcwd": 79, "fadvise64": 221,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sigaltstack": 131, "restart_syscall": 219,
    "sched_yield": 24, "sched_getaffinity": 204, "getcpu": 309, "nanosleep": 35, "clock_nanosleep": 230,
    "clock_getres": 229, "gettimeofday": 96, "time": 201, "times": 100, "getrusage": 98, "sysinfo": 99, "uname": 63,
    "getrandom": 318, "shutdown": 48, "getsockopt": 55, "setsockopt": 54, "getsockname": 51, "getpeername": 52,
    "select": 23, "pselect6": 270, "dup": 32, "set_robust_list": 273, "rseq": 334, "set_tid_address": 218,
    "arch_prctl": 158, "membarrier": 324, "getpid": 39, "gettid": 186, "getppid": 110, "getuid": 102, "geteuid": 107,
    "getgid": 104, "getegid": 108, "getrlimit": 97, "setrlimit": 160, "exit": 60, "exit_group": 231,
    "open": 2, "openat": 257, "openat2": 437, "access": 21, "faccessat": 269, "faccessat2": 439,
    "clone": 56, "kill": 62, "tgkill": 234, "prctl": 157, "ioctl": 16, "fcntl": 72, "prlimit64": 302,
    "socket": 41, "socketpair": 53, "connect": 42, "bind": 49, "listen": 50, "accept": 43, "accept4": 288,
    "execve": 59, "execveat": 322, "fork": 57, "vfork": 58, "ptrace": 101, "process_vm_readv": 310,
    "process_vm_writev": 311, "pidfd_open": 434, "pidfd_getfd": 438, "pidfd_send_signal": 424, "tkill": 200,
    "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "creat": 85, "unlink": 87, "unlinkat": 263, "rename": 82,
    "renameat2": 316, "mkdir": 83, "mkdirat": 258, "chmod": 90, "fchmodat": 268, "chown": 92, "link": 86, "symlink": 88,
    "truncate": 76, "ftruncate": 77, "mount": 165, "unshare": 272, "setns": 308, "chroot": 161, "bpf": 321,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "userfaultfd": 323, "keyctl": 250,
    "add_key": 248, "request_key": 249, "perf_event_open": 298, "open_by_handle_at": 304, "memfd_create": 319,
    "setuid": 105, "setgid": 106, "setresuid": 117, "setresgid": 119,
}  # fmt: skip

# Of <asm-generic/unistd.h>.
_AARCH64 = {
    "read": 63, "write": 64, "recvfrom": 207, "sendto": 206, "recvmsg": 212, "sendmsg": 211, "futex": 98, "mmap": 222,
    "munmap": 215, "madvise": 233, "brk": 214, "mremap": 216, "mprotect": 226, "ppoll": 73, "clock_gettime": 113,
    "close": 57, "fstat": 80, "newfstatat": 79, "statx": 291, "lseek": 62, "pread64": 67, "readv": 65, "writev": 66,
    "getdents64": 61, "readlinkat": 78, "getcwd": 17, "fadvise64": 223, "rt_sigaction": 134, "rt_sigprocmask": 135,
    "rt_sigreturn": 139, "sigaltstack": 132, "restart_syscall": 128, "sched_yield": 124, "sched_getaffinity": 123,
    "getcpu": 168, "nanosleep": 101, "clock_nanosleep": 115, "clock_getres": 114, "gettimeofday": 169, "times": 153,
    "getrusage": 165, "sysinfo": 179, "uname": 160, "getrandom": 278, "shutdown": 210, "getsockopt": 209,
    "setsockopt": 208, "getsockname": 204, "getpeername": 205, "pselect6": 72, "dup": 23, "set_robust_list": 99,
    "rseq": 293, "set_tid_address": 96, "membarrier": 283, "getpid": 172, "gettid": 178, "getppid": 173, "getuid": 174,
    "geteuid": 175, "getgid": 176, "getegid": 177, "getrlimit": 163, "setrlimit": 164, "exit": 93, "exit_group": 94,
    "openat": 56, "openat2": 437, "faccessat": 48, "faccessat2": 439,
    "clone": 220, "kill": 129, "tgkill": 131, "prctl": 167, "ioctl": 29, "fcntl": 25, "prlimit64": 261,
    "socket": 198, "socketpair": 199, "connect": 203, "bind": 200, "listen": 201, "accept": 202, "accept4": 242,
    "execve": 221, "execveat": 281, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
    "pidfd_open": 434, "pidfd_getfd": 438, "pidfd_send_signal": 424, "tkill": 130, "rt_sigqueueinfo": 138,
    "rt_tgsigqueueinfo": 240, "unlinkat": 35, "renameat2": 276, "mkdirat": 34, "fchmodat": 53, "truncate": 45,
    "ftruncate": 46, "mount": 40, "unshare": 97, "setns": 268, "chroot": 51, "bpf": 280, "io_uring_setup": 425,
    "io_uring_enter": 426, "io_uring_register": 427, "userfaultfd": 282, "keyctl": 219, "add_key": 217,
    "request_key": 218, "perf_event_open": 241, "open_by_handle_at": 265, "memfd_create": 279, "setuid": 146,
    "setgid": 144, "setresuid": 147, "setresgid": 149,
}  # fmt: skip

_ARCHITECTURES = {"x86_64": Architecture(0xC000003E, _X86_64), "aarch64": Architecture(0xC00000B7, _AARCH64)}

OPENING = ("open", "openat", "openat2", "access", "faccessat", "faccessat2")
"""Of files by name."""
BY_ARGUMENT = ("clone", "kill", "tgkill", "prctl", "ioctl", "fcntl", "prlimit64")
"""Allowed with some arguments."""
REFUSED = (
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "execve", "execveat", "fork", "vfork",
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "tkill",
    "rt_sigqueueinfo", "rt_tgsigqueueinfo", "creat", "unlink", "unlinkat", "rename", "renameat2", "mkdir", "mkdirat",
    "chmod", "fchmodat", "chown", "link", "symlink", "truncate", "ftruncate", "mount", "unshare", "setns", "chroot",
    "bpf", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "keyctl", "add_key", "request_key",
    "perf_event_open", "open_by_handle_at", "memfd_create", "setuid", "setgid", "setresuid", "setresgid",
)  # fmt: skip
"""By name; all that is named nowhere does not exist for a child."""
ALLOWED = tuple(name for name in _X86_64 if name not in {*OPENING, *BY_ARGUMENT, *REFUSED})


def this_architecture() -> Architecture | None:
    """Return that of this machine, None of one without a table."""
    return _ARCHITECTURES.get(platform.machine())
