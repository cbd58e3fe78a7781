"""What readelf and nm say of programs, libraries and objects."""

import os
import re
import subprocess


def call(*command):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def is_linked(path):
    """A program or a shared library: ELF, and neither an object nor an archive."""
    with open(path, "rb") as file:
        start = file.read(18)
    return start[:4] == b"\x7fELF" and start[16] in (2, 3)


def linked_below(top):
    """All programs and shared libraries below a directory, but not what npm or CMake put there."""
    found = []
    for place, folders, names in os.walk(top):
        folders[:] = [name for name in folders
                      if name not in ("CMakeFiles", "node_modules", "_deps")]
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path) and not os.path.islink(path) and is_linked(path):
                found.append(path)
    return sorted(found)


def search_path(path):
    """Where the loader looks first: the entries of RPATH and RUNPATH."""
    entries = []
    for text in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", call("readelf", "-dW", path)):
        entries += text.split(":")
    return entries


def unsafe_entries(entries):
    """Those that depend on the working directory: an empty entry means it, a relative one uses it."""
    return [entry for entry in entries if not re.match(r"/|\$ORIGIN(/|$)|\$\{ORIGIN\}(/|$)", entry)]


def exported(path, pattern):
    """The dynamic symbols, demangled, that a shared library defines and that match."""
    lines = call("nm", "-DC", "--defined-only", path).splitlines()
    return [line for line in lines if re.search(pattern, line)]


def has_control_flow_marks(path):
    """x86: indirect branches land on marks (IBT), and there may be a shadow stack (SHSTK)."""
    notes = call("readelf", "-nW", path)
    return "IBT" in notes and "SHSTK" in notes


def missing_protections(path):
    """Which protections a program or shared library should have, has not."""
    headers = call("readelf", "-hlW", path)
    dynamic = call("readelf", "-dW", path)
    symbols = call("readelf", "-W", "--dyn-syms", path)
    stack = re.search(r"GNU_STACK .* (RWE|RW|R) ", headers)
    checks = [
        ("position-independent", re.search(r"Type:\s+DYN", headers)),
        ("read-only relocations", "GNU_RELRO" in headers),
        ("binding at the start", re.search(r"BIND_NOW|FLAGS_1.*\bNOW\b", dynamic)),
        ("a stack that cannot be executed", stack and stack.group(1) == "RW"),
        ("a stack protector", "__stack_chk_fail" in symbols),
        ("assertions of the standard library", "__glibcxx_assert_fail" in symbols),
    ]
    return [name for name, there in checks if not there]


def is_fortified(path):
    """Calls some function of glibc that checks the length of what it writes to."""
    return bool(re.search(r"__\w+_chk@", call("readelf", "-W", "--dyn-syms", path)))
