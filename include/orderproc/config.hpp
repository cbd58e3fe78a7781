#ifndef ORDERPROC_CONFIG_HPP
#define ORDERPROC_CONFIG_HPP

// Symbols are hidden unless marked, so that a shared library exports what the headers promise.

#if defined(__GNUC__) || defined(__clang__)
#define ORDERPROC_EXPORT __attribute__((visibility("default")))
#define ORDERPROC_HIDDEN __attribute__((visibility("hidden")))  // inside of an exported class
#else
#define ORDERPROC_EXPORT
#define ORDERPROC_HIDDEN
#endif

#endif
