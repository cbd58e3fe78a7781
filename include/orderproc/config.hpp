#ifndef ORDERPROC_CONFIG_HPP
#define ORDERPROC_CONFIG_HPP

// Every public header includes this one before anything else, so that a compiler that cannot
// compile them says why in its first line.
//
// What holds in all of them, unless a comment says otherwise:
//
// Errors.   A function that can fail returns a result (error.hpp) or an outcome with a code. It
//           throws nothing of its own; std::bad_alloc may come out of every function that is not
//           noexcept, and then nothing has changed. To break a REQUIRES is undefined behaviour.
// Threads.  Functions may be called from any thread. An object is used by one thread at a time,
//           except where its class says that it is safe to use from any thread.
// Lifetime. What is passed by value, or as a view or a span, is copied if it is needed after the
//           call. What is passed by reference and kept is named with what it has to outlive.
//           A view that is returned lives as long as the object that returned it.

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
