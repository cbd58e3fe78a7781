# Makes pages.S and pages.cpp: what is served under /docs and at /, compressed, as part of the binary.
#   cmake -D FROM=<this folder> -D TO=<a folder of the build> -D NPM=<npm, or nothing>
#         [-D SWAGGER_UI=OFF] [-D DASHBOARD=<the folder of the operator's page>] -P embed.cmake
# Swagger UI, and what the operator's page is made of, come from npm, without its install scripts. If
# they are not to be had, pages that say so take their places. Without DASHBOARD there is no page at /.
cmake_minimum_required(VERSION 3.25)

# npm_packages(OUT WHAT LOCKED TOOLS): those that package-lock.json of the folder LOCKED names, in
# TOOLS/node_modules. OUT: whether they are there.
function(npm_packages out what locked tools)
    set(${out} FALSE PARENT_SCOPE)
    if(NOT NPM)
        return()
    endif()
    file(SHA256 "${locked}/package-lock.json" wanted)
    set(stamp "${tools}/${wanted}")
    if(NOT EXISTS "${stamp}")
        file(REMOVE_RECURSE "${tools}")
        file(COPY "${locked}/package.json" "${locked}/package-lock.json" DESTINATION "${tools}")
        execute_process(
            COMMAND "${NPM}" ci --ignore-scripts --no-audit --no-fund --prefer-offline
                --no-update-notifier --fetch-retries=1 --fetch-timeout=30000
            WORKING_DIRECTORY "${tools}" TIMEOUT 180
            RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
        if(failed)
            message(NOTICE "orderproc: npm did not bring ${what} (${failed}):\n${said}")
            return()
        endif()
        file(TOUCH "${stamp}")
    endif()
    set(${out} TRUE PARENT_SCOPE)
endfunction()

set(swagger_tools "${TO}/npm")
set(taken "${swagger_tools}/node_modules/swagger-ui-dist")
set(dashboard_tools "${TO}/dashboard")
set(dashboard_made "${dashboard_tools}/made")

# Into dashboard_made: app.js, style.css and licenses.txt.
function(make_dashboard out)
    npm_packages(there "what the operator's page is made of" "${DASHBOARD}" "${dashboard_tools}")
    set(${out} ${there} PARENT_SCOPE)
    if(NOT there)
        return()
    endif()
    set(modules "${dashboard_tools}/node_modules")
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env "NODE_PATH=${modules}" "${modules}/.bin/esbuild"
            "app=${DASHBOARD}/src/main.tsx" "style=${DASHBOARD}/style.css" --bundle --minify
            --format=iife --target=es2022,chrome123,firefox121,safari17.5 --jsx=automatic
            --jsx-import-source=preact --legal-comments=none --log-level=warning
            "--outdir=${dashboard_made}"
        RESULT_VARIABLE failed)
    if(failed)
        message(FATAL_ERROR "The operator's page could not be built (${failed})")
    endif()
    set(licenses "")
    foreach(package IN ITEMS preact @preact/signals @preact/signals-core uplot)
        file(READ "${modules}/${package}/LICENSE" license)
        string(APPEND licenses "${package}\n\n${license}\n\n")
    endforeach()
    file(WRITE "${dashboard_made}/licenses.txt" "${licenses}")
endfunction()

set(table "")
set(assembly "")
set(count 0)

# embed(URL CONTENT_TYPE FILE): for the table, whose rows the answers are looked up in.
function(embed url content_type file)
    set(packed "${TO}/${count}.gz")
    file(ARCHIVE_CREATE OUTPUT "${packed}" PATHS "${file}" FORMAT raw COMPRESSION GZip
         COMPRESSION_LEVEL 9 MTIME "1980-01-01 00:00:00 UTC")
    file(SHA256 "${file}" hash)
    string(SUBSTRING "${hash}" 0 32 hash)
    string(APPEND assembly "page_${count}:\n    .incbin \"${packed}\"\npage_${count}_end:\n")
    string(APPEND assembly "    .globl page_${count}, page_${count}_end\n")
    string(APPEND symbols "extern const char page_${count}[], page_${count}_end[];\n")
    string(APPEND table "    {\"${url}\", \"${content_type}\", \"W/\\\"${hash}\\\"\",\n"
        "     {page_${count}, static_cast<std::size_t>(page_${count}_end - page_${count})}},\n")
    math(EXPR count "${count} + 1")
    foreach(name IN ITEMS assembly symbols table count)
        set(${name} "${${name}}" PARENT_SCOPE)
    endforeach()
endfunction()

set(text "text/plain; charset=utf-8")
set(html "text/html; charset=utf-8")
set(script "text/javascript; charset=utf-8")
set(style "text/css; charset=utf-8")

file(REMOVE "${TO}/absent")
set(has_swagger_ui FALSE)
if(NOT DEFINED SWAGGER_UI OR SWAGGER_UI)
    npm_packages(has_swagger_ui "Swagger UI" "${FROM}" "${swagger_tools}")
endif()
if(has_swagger_ui)
    embed("/docs" "${html}" "${FROM}/index.html")
    embed("/docs/start.js" "${script}" "${FROM}/start.js")
    embed("/docs/swagger-ui.css" "${style}" "${taken}/swagger-ui.css")
    embed("/docs/swagger-ui-bundle.js" "${script}" "${taken}/swagger-ui-bundle.js")
    embed("/docs/swagger-ui-bundle.js.LICENSE.txt" "${text}"
        "${taken}/swagger-ui-bundle.js.LICENSE.txt")
    embed("/docs/swagger-ui-LICENSE.txt" "${text}" "${taken}/LICENSE")
    embed("/docs/swagger-ui-NOTICE.txt" "${text}" "${taken}/NOTICE")
else()
    embed("/docs" "${html}" "${FROM}/absent.html")
    file(TOUCH "${TO}/absent")
endif()
embed("/docs/style.css" "${style}" "${FROM}/style.css")
embed("/docs/icon.svg" "image/svg+xml" "${FROM}/icon.svg")
if(DASHBOARD)
    make_dashboard(has_dashboard)
    if(has_dashboard)
        embed("/" "${html}" "${DASHBOARD}/index.html")
        embed("/dashboard/app.js" "${script}" "${dashboard_made}/app.js")
        embed("/dashboard/style.css" "${style}" "${dashboard_made}/style.css")
        embed("/dashboard/licenses.txt" "${text}" "${dashboard_made}/licenses.txt")
    else()
        embed("/" "${html}" "${DASHBOARD}/absent.html")
        file(TOUCH "${TO}/absent")
    endif()
    embed("/dashboard/icon.svg" "image/svg+xml" "${DASHBOARD}/icon.svg")
endif()
embed("" "application/json" "${FROM}/openapi.json")  # not served as it is: the empty name

# Data only: the stack need not be executable, and nothing here is the target of a branch.
file(WRITE "${TO}/pages.S" "#ifdef __CET__\n#include <cet.h>\n#endif
    .section .rodata\n${assembly}    .section .note.GNU-stack,\"\",%progbits\n")
file(WRITE "${TO}/pages.cpp" "// Made by embed.cmake.
#include \"docs/pages.hpp\"

extern \"C\" {
${symbols}}

namespace orderproc::server {

std::span<const page> pages() noexcept {
    static const page table[] = {
${table}    };
    return table;
}

}  // namespace orderproc::server
")
