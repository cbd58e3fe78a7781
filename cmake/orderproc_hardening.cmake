# Protections of the compiler and the linker against the consequences of a memory error.
# Every object that goes into a program or a library of ours is compiled with them. They are
# private to our targets (ORDERPROC_HARDEN): neither the CMake package nor a .pc file passes them on.

include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)

# Into `out`: those of the flags that the compiler (or, with LINKER, the linker) understands.
function(orderproc_supported_flags out kind)
    set(supported)
    foreach(flag IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "ORDERPROC_HAS${flag}" known)
        if(kind STREQUAL "LINKER")
            check_linker_flag(CXX "${flag}" ${known})
        else()
            check_cxx_compiler_flag("${flag}" ${known})
        endif()
        if(${known})
            list(APPEND supported "${flag}")
        endif()
    endforeach()
    set(${out} "${supported}" PARENT_SCOPE)
endfunction()

# A sanitizer finds the same errors earlier, and some of these protections hide them from it.
set(orderproc_hardens FALSE)
if(ORDERPROC_HARDEN AND NOT ORDERPROC_SANITIZE)
    set(orderproc_hardens TRUE)
    set(CMAKE_REQUIRED_QUIET TRUE)
    check_pie_supported(LANGUAGES CXX)
    orderproc_supported_flags(orderproc_harden_compile COMPILER
        -fstack-protector-strong
        -fstack-clash-protection
        -fcf-protection=full  # x86 only
        -ftrivial-auto-var-init=zero)
    orderproc_supported_flags(orderproc_harden_link LINKER
        "LINKER:-z,relro,-z,now" "LINKER:-z,noexecstack")
    unset(CMAKE_REQUIRED_QUIET)
    # glibc checks lengths only in optimised code, and says so where there is none.
    set(optimised "$<CONFIG:Release,RelWithDebInfo,MinSizeRel>")
    list(APPEND orderproc_harden_compile -D_GLIBCXX_ASSERTIONS
        "$<${optimised}:-U_FORTIFY_SOURCE>" "$<${optimised}:-D_FORTIFY_SOURCE=3>")
endif()

function(orderproc_harden_target target)
    if(NOT orderproc_hardens)
        return()
    endif()
    target_compile_options(${target} PRIVATE
        "$<$<COMPILE_LANGUAGE:CXX>:${orderproc_harden_compile}>")
    if("-fcf-protection=full" IN_LIST orderproc_harden_compile)  # or the linker drops the marks
        target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:ASM>:-fcf-protection=full>")
    endif()
    get_target_property(type ${target} TYPE)
    get_target_property(independent ${target} POSITION_INDEPENDENT_CODE)
    if(type MATCHES "EXECUTABLE|SHARED_LIBRARY")
        target_link_options(${target} PRIVATE ${orderproc_harden_link})
    endif()
    if(type STREQUAL "EXECUTABLE")
        set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    elseif(NOT independent)  # a static library, for our programs alone
        target_compile_options(${target} PRIVATE ${CMAKE_CXX_COMPILE_OPTIONS_PIE})
    endif()
endfunction()
