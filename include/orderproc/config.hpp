#ifndef ORDERPROC_CONFIG_HPP
#define ORDERPROC_CONFIG_HPP

// Every public header includes this one before anything else, so that a compiler that cannot
// compile them says why in its first line.

#if __cplusplus < 202002L
#error "orderproc needs C++20: compile this file with -std=c++20 or later"
#endif
#ifndef __cpp_exceptions
#error "orderproc needs exceptions: compile this file without -fno-exceptions"
#endif

// While a shared library of orderproc is compiled, ORDERPROC_EXPORT marks what it exports, and
// ORDERPROC_HIDDEN what it does not export of an exported class. Both are empty everywhere else:
// a plugin that links the static libraries does not export them again, and a program that uses
// the shared libraries needs no definition of its own.

#if defined(ORDERPROC_BUILDS_SHARED) && (defined(__GNUC__) || defined(__clang__))
#define ORDERPROC_EXPORT __attribute__((visibility("default")))
#define ORDERPROC_HIDDEN __attribute__((visibility("hidden")))
#else
#define ORDERPROC_EXPORT
#define ORDERPROC_HIDDEN
#endif

#endif
