include(orderproc_hardening)
if(ORDERPROC_INSTALL)
    include(GNUInstallDirs)
    include(CMakePackageConfigHelpers)
    set(ORDERPROC_INSTALL_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/orderproc")
endif()

# orderproc_dependency(TARGET FIND "PACKAGE [VERSION]" [PKG_CONFIG MODULE] [LIBS FLAG])
#
# How a library of others is found: by us, by the installed package, and by pkg-config.
function(orderproc_dependency target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "FIND;PKG_CONFIG;LIBS" "")
    foreach(key IN ITEMS FIND PKG_CONFIG LIBS)
        set_property(GLOBAL PROPERTY "orderproc_${key}_${target}" "${arg_${key}}")
    endforeach()
endfunction()

orderproc_dependency(Boost::headers FIND "Boost 1.81")
orderproc_dependency(Threads::Threads FIND "Threads" LIBS "-pthread")
orderproc_dependency(SQLite::SQLite3 FIND "SQLite3" PKG_CONFIG sqlite3)
orderproc_dependency(PostgreSQL::PostgreSQL FIND "PostgreSQL" PKG_CONFIG libpq)
orderproc_dependency(rabbitmq::rabbitmq FIND "rabbitmq-c CONFIG" PKG_CONFIG librabbitmq)
orderproc_dependency(OpenSSL::SSL FIND "OpenSSL" PKG_CONFIG libssl)
orderproc_dependency(OpenSSL::Crypto FIND "OpenSSL" PKG_CONFIG libcrypto)
orderproc_dependency(prometheus-cpp::core FIND "prometheus-cpp" PKG_CONFIG prometheus-cpp-core)

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
        if(ORDERPROC_SANITIZE MATCHES undefined AND NOT ORDERPROC_SANITIZE MATCHES fuzzer)
            # Checks at every use of a pointer double the code and the time to compile and to
            # start it. The address sanitizer finds most of what they find; the fuzzers have them.
            target_compile_options(${target} PRIVATE -fno-sanitize=null,alignment,object-size,vptr
                -fno-sanitize=nonnull-attribute,returns-nonnull-attribute,pointer-overflow)
        endif()
        if(ORDERPROC_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
            target_compile_options(${target} PRIVATE -Wno-tsan)
        endif()
    endif()
    orderproc_harden_target(${target})
endfunction()

# The build tree lays out programs and shared libraries as the installation does, so that both
# find the libraries by the same `entry`. If the two differed, CMake would end the one of the
# build tree with a colon, and the loader takes an empty entry for the working directory.
function(orderproc_set_rpath target entry)
    get_target_property(type orderproc_core TYPE)
    if(ORDERPROC_INSTALL AND type STREQUAL "SHARED_LIBRARY" AND NOT DEFINED CMAKE_INSTALL_RPATH)
        set_target_properties(${target} PROPERTIES
            INSTALL_RPATH "${entry}"
            BUILD_WITH_INSTALL_RPATH ON)
    endif()
endfunction()

# Into `out`: where the build tree has the shared libraries, seen from its programs in bin.
function(orderproc_build_libdir out)
    orderproc_path_from("${CMAKE_INSTALL_BINDIR}" "${CMAKE_INSTALL_LIBDIR}" libdir)
    set(libdir "${PROJECT_BINARY_DIR}/bin/${libdir}")
    cmake_path(NORMAL_PATH libdir)
    cmake_path(IS_PREFIX PROJECT_BINARY_DIR "${libdir}" inside)
    if(NOT inside)
        message(FATAL_ERROR "orderproc: CMAKE_INSTALL_LIBDIR (${CMAKE_INSTALL_LIBDIR}) must be "
            "below CMAKE_INSTALL_PREFIX (${CMAKE_INSTALL_PREFIX}) for shared libraries")
    endif()
    set(${out} "${libdir}" PARENT_SCOPE)
endfunction()

# Into `out`: which of the targets are not to be had here. Looks for those of others.
function(orderproc_missing out)
    set(missing)
    foreach(target IN LISTS ARGN)
        if(NOT TARGET ${target} AND NOT target MATCHES "^orderproc::")
            get_property(find GLOBAL PROPERTY "orderproc_FIND_${target}")
            if(NOT find)
                message(FATAL_ERROR "orderproc: no orderproc_dependency(${target} ...)")
            endif()
            separate_arguments(find)
            find_package(${find} QUIET)
        endif()
        if(NOT TARGET ${target})
            list(APPEND missing ${target})
        endif()
    endforeach()
    list(JOIN missing ", " missing)
    set(${out} "${missing}" PARENT_SCOPE)
endfunction()

# orderproc_component(NAME SUMMARY TEXT HEADERS ... [SOURCES ...] [LINK ...] [LINK_PRIVATE ...]
#                     [OPTION ORDERPROC_WITH_...])
#
# The library orderproc::NAME with its public headers, which are checked to be self-contained;
# installed as a component of the package and as orderproc-NAME.pc. Without sources it is
# header-only. With an option it is left out when that is off or something to link is absent.
function(orderproc_component name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "OPTION;SUMMARY" "HEADERS;SOURCES;LINK;LINK_PRIVATE")
    set_property(GLOBAL APPEND PROPERTY orderproc_components ${name})
    if(arg_OPTION AND NOT ${arg_OPTION})
        message(STATUS "orderproc: ${arg_OPTION} is off, so no orderproc::${name}")
        return()
    endif()
    orderproc_missing(missing ${arg_LINK} ${arg_LINK_PRIVATE})
    if(missing AND arg_OPTION)
        message(STATUS "orderproc: no ${missing}, so no orderproc::${name}")
        return()
    elseif(missing)
        message(FATAL_ERROR "orderproc: orderproc::${name} needs ${missing}")
    endif()

    set(target orderproc_${name})
    if(arg_SOURCES)
        set(scope PUBLIC)
        add_library(${target} ${arg_SOURCES})
        set_target_properties(${target} PROPERTIES
            VERSION ${PROJECT_VERSION}
            SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
            DEFINE_SYMBOL ORDERPROC_BUILDS_SHARED
            POSITION_INDEPENDENT_CODE ON)
        orderproc_configure_target(${target})
        get_target_property(type ${target} TYPE)
        if(ORDERPROC_INSTALL AND type STREQUAL "SHARED_LIBRARY")
            orderproc_build_libdir(libdir)
            set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${libdir}")
            orderproc_set_rpath(${target} "$ORIGIN")
        endif()
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
    if(ORDERPROC_INSTALL)
        orderproc_install_component(${name} "${arg_SUMMARY}" "${arg_LINK}" "${arg_LINK_PRIVATE}")
    endif()
endfunction()

# Before all other rules: nothing is installed if a part of it has not been built, rather than
# the files before that part alone. orderproc_install_package() writes the scripts.
function(orderproc_install_only_if_built)
    foreach(component IN ITEMS orderproc_runtime orderproc_dev)
        install(SCRIPT "${PROJECT_BINARY_DIR}/package/${component}-$<CONFIG>.cmake"
            COMPONENT ${component})
    endforeach()
endfunction()

# The libraries, headers, orderproc-NAME.cmake and orderproc-NAME.pc of one component.
function(orderproc_install_component name summary links private_links)
    set(target orderproc_${name})
    install(TARGETS ${target} EXPORT orderproc-${name}
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT orderproc_runtime
            NAMELINK_COMPONENT orderproc_dev
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT orderproc_dev
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT orderproc_dev
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    install(EXPORT orderproc-${name} NAMESPACE orderproc:: FILE orderproc-${name}-targets.cmake
        DESTINATION "${ORDERPROC_INSTALL_CMAKEDIR}" COMPONENT orderproc_dev)

    get_target_property(type ${target} TYPE)
    if(type STREQUAL "SHARED_LIBRARY")
        set_property(GLOBAL APPEND PROPERTY orderproc_runtime_files ${target})
    elseif(type STREQUAL "STATIC_LIBRARY")
        set_property(GLOBAL APPEND PROPERTY orderproc_dev_files ${target})
    endif()

    set(needs)
    set(finds)
    foreach(scope IN ITEMS "" "private_")
        set(${scope}requires)
        set(${scope}libs)
        foreach(link IN LISTS ${scope}links)
            if(link MATCHES "^orderproc::(.*)$")
                list(APPEND needs ${CMAKE_MATCH_1})
                list(APPEND ${scope}requires "orderproc-${CMAKE_MATCH_1} = ${PROJECT_VERSION}")
                continue()
            endif()
            foreach(key IN ITEMS FIND PKG_CONFIG LIBS)
                get_property(${key} GLOBAL PROPERTY "orderproc_${key}_${link}")
            endforeach()
            list(APPEND ${scope}requires ${PKG_CONFIG})
            list(APPEND ${scope}libs ${LIBS})
            # A shared library brings what it uses inside.
            if(scope STREQUAL "" OR NOT type STREQUAL "SHARED_LIBRARY")
                list(APPEND finds "${FIND}")
            endif()
        endforeach()
        list(JOIN ${scope}requires ", " ${scope}requires)
        list(JOIN ${scope}libs " " ${scope}libs)
    endforeach()
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
        string(PREPEND libs "-L\${libdir} -l${target} ")
    endif()

    set(out "${PROJECT_BINARY_DIR}/package")
    configure_file("${PROJECT_SOURCE_DIR}/cmake/orderproc-component.cmake.in"
        "${out}/orderproc-${name}.cmake" @ONLY)
    install(FILES "${out}/orderproc-${name}.cmake"
        DESTINATION "${ORDERPROC_INSTALL_CMAKEDIR}" COMPONENT orderproc_dev)

    # Seen from the .pc file, so that the tree can be moved; an absolute directory stays one.
    orderproc_path_from("${CMAKE_INSTALL_LIBDIR}/pkgconfig" "" prefix)
    set(prefix "\${pcfiledir}/${prefix}")
    foreach(dir IN ITEMS LIB INCLUDE)
        set(${dir}DIR "${CMAKE_INSTALL_${dir}DIR}")
        if(NOT IS_ABSOLUTE "${${dir}DIR}")
            string(PREPEND ${dir}DIR "\${prefix}/")
        endif()
    endforeach()
    configure_file("${PROJECT_SOURCE_DIR}/cmake/orderproc-component.pc.in"
        "${out}/orderproc-${name}.pc" @ONLY)
    install(FILES "${out}/orderproc-${name}.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT orderproc_dev)
endfunction()

# How to go from one directory of the installation to another; each relative or absolute.
function(orderproc_path_from from to out)
    cmake_path(ABSOLUTE_PATH from BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" NORMALIZE)
    cmake_path(ABSOLUTE_PATH to BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" NORMALIZE)
    cmake_path(RELATIVE_PATH to BASE_DIRECTORY "${from}")
    string(REGEX REPLACE "/$" "" to "${to}")
    set(${out} "${to}" PARENT_SCOPE)
endfunction()

# A program, which finds our shared libraries wherever the tree is.
function(orderproc_install_program target)
    orderproc_path_from("${CMAKE_INSTALL_BINDIR}" "${CMAKE_INSTALL_LIBDIR}" libdir)
    orderproc_set_rpath(${target} "$ORIGIN/${libdir}")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
    set_property(GLOBAL APPEND PROPERTY orderproc_runtime_files ${target})
    install(TARGETS ${target}
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT orderproc_runtime)
endfunction()

# What find_package(orderproc) reads first. After the last component and program.
function(orderproc_install_package)
    get_property(components GLOBAL PROPERTY orderproc_components)
    set(out "${PROJECT_BINARY_DIR}/package")
    configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/orderproc-config.cmake.in"
        "${out}/orderproc-config.cmake"
        INSTALL_DESTINATION "${ORDERPROC_INSTALL_CMAKEDIR}" NO_SET_AND_CHECK_MACRO)
    configure_file("${PROJECT_SOURCE_DIR}/cmake/orderproc-config-version.cmake.in"
        "${out}/orderproc-config-version.cmake" @ONLY)
    install(FILES "${out}/orderproc-config.cmake" "${out}/orderproc-config-version.cmake"
        DESTINATION "${ORDERPROC_INSTALL_CMAKEDIR}" COMPONENT orderproc_dev)
    install(FILES "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/LICENSE"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT orderproc_dev)
    foreach(component IN ITEMS orderproc_runtime orderproc_dev)
        get_property(targets GLOBAL PROPERTY ${component}_files)
        set(script)
        foreach(target IN LISTS targets)
            string(APPEND script "if(NOT EXISTS \"$<TARGET_FILE:${target}>\")\n"
                "  message(FATAL_ERROR \"orderproc: nothing was installed, because ${target} has \"\n"
                "    \"not been built. Run: cmake --build ${CMAKE_BINARY_DIR}\")\nendif()\n")
        endforeach()
        file(GENERATE OUTPUT "${out}/${component}-$<CONFIG>.cmake" CONTENT "${script}")
    endforeach()
endfunction()
