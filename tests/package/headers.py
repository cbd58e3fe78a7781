"""All public headers, as a stranger compiles them by -I: with every warning, and by mistake."""

from stranger import Failed, check

GCC = """-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wold-style-cast -Wcast-align -Wcast-qual -Wduplicated-cond
    -Wduplicated-branches -Wlogical-op -Wuseless-cast -Wdouble-promotion -Wformat=2 -Wundef
    -Wredundant-decls -Wextra-semi -Wsuggest-override -Wctor-dtor-privacy -Wunused-macros
    -Wfloat-equal -Wdeprecated-copy-dtor -Wsign-promo""".split()
# g++ 12 sees these in Boost.Asio and in every coroutine, whoever wrote it.
GCC_BUT_FOR_ASIO = ["-Wnull-dereference", "-Wzero-as-null-pointer-constant"]
# Less what forbids C++20 itself, and where a class is laid out or emitted.
CLANG = """-Weverything -Wno-c++98-compat -Wno-c++98-compat-pedantic -Wno-pre-c++20-compat-pedantic
    -Wno-c++20-compat -Wno-padded -Wno-weak-vtables""".split()


def names(include):
    return sorted(str(path.relative_to(include)) for path in include.rglob("*.hpp"))


def all_of(package):
    """A source file that includes every public header."""
    source = package.top / "every_header.cpp"
    source.write_text("".join("#include <%s>\n" % name
                              for name in names(package.args.source / "include")))
    return source


def compiles(package, source, *flags, ok=True):
    return package.call([package.args.cxx, "-I", package.args.source / "include", *flags,
                         "-o", package.top / "headers.o", source], ok=ok)


def without_warnings(package):
    stranger = package.top / "stranger"
    clang = "clang" in package.args.cxx
    warnings = ["-Werror"] + (CLANG if clang else GCC)
    every = all_of(package)
    for standard in ("c++20", "c++2b"):
        compiles(package, every, "-std=" + standard, "-fsyntax-only", *warnings)
    compiles(package, stranger / "strict_program.cpp", "-std=c++20", "-O2", "-c", *warnings)
    if not clang:
        for source in (every, stranger / "memory_program.cpp"):
            compiles(package, source, "-std=c++20", "-O2", "-c", *warnings, *GCC_BUT_FOR_ASIO)


def the_check_can_fail(package):
    """A header with the fault that strangers met is refused."""
    source = package.top / "fault.cpp"
    source.write_text("struct told { virtual void tell() = 0; };\n")
    said = None
    try:
        compiles(package, source, "-std=c++20", "-fsyntax-only", "-Werror", "-Wnon-virtual-dtor")
    except Failed as failed:
        said = str(failed)
    check(said and "non-virtual" in said, "a class without a virtual destructor was accepted")


def refusals(package):
    """The first error of a compiler that cannot compile a header says why."""
    some = names(package.args.source / "include")
    if "clang" in package.args.cxx:
        some = some[:3]  # it reads on behind an error, and g++ has seen that all headers begin so
    for name in some:
        source = package.top / "refused.cpp"
        source.write_text("#include <%s>\n" % name)
        for flags, words in ((["-std=c++17"], "orderproc needs C++20"),
                             (["-std=c++20", "-fno-exceptions"], "orderproc needs exceptions")):
            said = compiles(package, source, *flags, "-Wfatal-errors", "-fsyntax-only", ok=False)
            first = next(line for line in said.splitlines() if "error:" in line)
            check(words in first, "%s with %s begins with: %s" % (name, flags[-1], first))
