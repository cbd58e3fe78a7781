include(GNUInstallDirs)

# What every target of ours is compiled with; nothing of it reaches a user's build.
function(orderproc_configure_target target)
    set_target_properties(${target} PROPERTIES
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON
        CXX_EXTENSIONS OFF)
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        # It sees overlaps in string + string (GCC bug 105651) and uninitialised members in
        # variants (80635) that are not there, and mistakes the frames of Asio's coroutines.
        target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized
            -Wno-mismatched-new-delete)
    endif()
    if(ORDERPROC_DEVELOPER)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    if(ORDERPROC_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${ORDERPROC_SANITIZE}
            -fno-sanitize-recover=all -fno-omit-frame-pointer)
        target_link_options(${target} PUBLIC -fsanitize=${ORDERPROC_SANITIZE})
        if(ORDERPROC_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
            target_compile_options(${target} PRIVATE -Wno-tsan)
        endif()
    endif()
endfunction()

# orderproc_component(NAME HEADERS ... [SOURCES ...] [LINK ...] [LINK_PRIVATE ...])
#
# The library orderproc::NAME with its public headers, which are checked to be self-contained.
# Without sources it is header-only.
function(orderproc_component name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "HEADERS;SOURCES;LINK;LINK_PRIVATE")
    set(target orderproc_${name})
    if(arg_SOURCES)
        set(scope PUBLIC)
        add_library(${target} ${arg_SOURCES})
        orderproc_configure_target(${target})
        set_target_properties(${target} PROPERTIES
            VERSION ${PROJECT_VERSION}
            SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
            POSITION_INDEPENDENT_CODE ON)
    else()
        set(scope INTERFACE)
        add_library(${target} INTERFACE)
        target_compile_features(${target} INTERFACE cxx_std_20)
    endif()
    add_library(orderproc::${name} ALIAS ${target})
    set_target_properties(${target} PROPERTIES
        EXPORT_NAME ${name}
        VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})

    set(files)
    foreach(header IN LISTS arg_HEADERS)
        list(APPEND files "${PROJECT_SOURCE_DIR}/include/orderproc/${header}")
    endforeach()
    target_sources(${target} ${scope} FILE_SET HEADERS
        BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${files})
    target_link_libraries(${target} ${scope} ${arg_LINK})
    if(arg_LINK_PRIVATE)
        target_link_libraries(${target} PRIVATE ${arg_LINK_PRIVATE})
    endif()
endfunction()
