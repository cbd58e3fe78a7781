# Every attack that docs/security.md names has tests, and they are there. Run as:
# cmake -DROOT=<source tree> -P attacks.cmake
cmake_minimum_required(VERSION 3.25)

# Appends to the list `found` in the caller what is wrong with a row, given the texts of all tests.
function(check_row row tests)
    string(REGEX MATCH "[|]([^|]*)[|]$" last "${row}")
    string(REGEX MATCHALL "`[a-z0-9_]+`" names "${CMAKE_MATCH_1}")
    if(NOT names)
        list(APPEND found "no test: ${row}")
    endif()
    foreach(name IN LISTS names)
        string(REPLACE "`" "" name "${name}")
        string(FIND "${tests}" "(${name})" in_cpp)
        string(FIND "${tests}" "def ${name}(" in_python)
        if(in_cpp EQUAL -1 AND in_python EQUAL -1)
            list(APPEND found "there is no test ${name}")
        endif()
    endforeach()
    set(found "${found}" PARENT_SCOPE)
endfunction()

# The check itself must be able to fail.
function(expect row ok)
    set(found "")
    check_row("${row}" "BOOST_AUTO_TEST_CASE(one_that_is)\n    def test_two(self):")
    if((ok AND found) OR NOT (ok OR found))
        message(FATAL_ERROR "attacks.cmake misjudges: ${row}")
    endif()
endfunction()
expect("| a | b | `one_that_is`, `test_two` |" TRUE)
expect("| a | b | `one_that_is`, `one_that_is_not` |" FALSE)
expect("| a | `one_that_is` | |" FALSE)

file(GLOB files "${ROOT}/tests/server/*_test.cpp" "${ROOT}/tests/integration/*_test.py")
set(tests "")
foreach(path IN LISTS files)
    file(READ "${path}" text)
    string(REPLACE ";" "" text "${text}")
    string(APPEND tests "${text}")
endforeach()
file(READ "${ROOT}/docs/security.md" text)
string(REPLACE ";" "," text "${text}")
string(FIND "${text}" "| attack | answer | tests |" begin)
string(SUBSTRING "${text}" ${begin} -1 text)
string(FIND "${text}" "\n\n" end)
string(SUBSTRING "${text}" 0 ${end} text)
string(REPLACE "\n" ";" rows "${text}")
list(REMOVE_AT rows 0 1)
set(found "")
foreach(row IN LISTS rows)
    check_row("${row}" "${tests}")
endforeach()
list(LENGTH rows count)
# What the table must not lose, by how its rows begin.
foreach(attack IN ITEMS
        "no, empty or several `Authorization`"
        "a key in the URL"
        "a key with a byte changed"
        "a key that was revoked or has ended"
        "a key from another network"
        "a key without the scope"
        "a user's key on another's order"
        "the idempotency key of another principal"
        "a cursor of another principal, a `Last-Event-ID`"
        "1,000 bad keys a second"
        "a search for secrets"
        "the list of keys"
        "TLS 1.0 and 1.1, weak ciphers"
        "hellos with export ciphers"
        "a renegotiation"
        "no client certificate"
        "5,000 half handshakes"
        "one byte after the other, resets"
        "a new certificate with another's key"
        "a request smuggled over TLS"
        "a token of another attempt"
        "a request that was passed on")
    string(FIND "${rows}" ";| ${attack}" at)
    string(FIND "${rows}" "| ${attack}" first)
    if(at EQUAL -1 AND NOT first EQUAL 0)
        list(APPEND found "no row: ${attack}")
    endif()
endforeach()
if(found)
    list(JOIN found "\n  " found)
    message(FATAL_ERROR "Attacks without their tests:\n  ${found}")
endif()
message(STATUS "${count} attacks have their tests")
