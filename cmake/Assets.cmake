# The files for browsers that the program carries inside itself: Faye's browser client, fetched from
# npm as assets/package-lock.json pins it, and the demo page. api/embedded_assets.hpp hands them out.

# Leaves in `result` the C++ file that holds them. Ninja makes it again when one of them changes.
function(fanfare_embedded_assets result)
  set(generated "${CMAKE_BINARY_DIR}/generated")
  set(demo "${CMAKE_SOURCE_DIR}/src/api/demo")

  # The version stands in the name, so that a page can be cached for ever by what it asks for.
  file(READ "${CMAKE_SOURCE_DIR}/assets/package.json" package)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/assets/package.json")
  string(JSON faye_version GET "${package}" dependencies faye)
  set(faye "${generated}/faye-browser-${faye_version}")
  set(npm_faye "${CMAKE_SOURCE_DIR}/assets/node_modules/faye")
  add_custom_command(
    OUTPUT "${faye}-min.js" "${faye}-license.txt"
    COMMAND "${CMAKE_SOURCE_DIR}/tools/npm-install" assets
    COMMAND "${CMAKE_COMMAND}" -E copy "${npm_faye}/client/faye-browser-min.js" "${faye}-min.js"
    COMMAND "${CMAKE_COMMAND}" -E copy "${npm_faye}/LICENSE.md" "${faye}-license.txt"
    # npm's files are dated 1985.
    COMMAND "${CMAKE_COMMAND}" -E touch "${faye}-min.js" "${faye}-license.txt"
    DEPENDS "${CMAKE_SOURCE_DIR}/assets/package-lock.json"
    COMMENT "Fetching Faye's browser client ${faye_version}"
    VERBATIM)

  set(files "${faye}-min.js" "${faye}-license.txt")
  string(CONCAT manifest
    "bayeux/static/faye-browser-${faye_version}-min.js\t${faye}-min.js\n"
    "bayeux/static/faye-browser-${faye_version}-license.txt\t${faye}-license.txt\n")
  file(GLOB_RECURSE demo_files CONFIGURE_DEPENDS "${demo}/*.html" "${demo}/*.css" "${demo}/*.js" "${demo}/*.svg")
  foreach(file IN LISTS demo_files)
    file(RELATIVE_PATH name "${demo}" "${file}")
    list(APPEND files "${file}")
    string(APPEND manifest "demo/${name}\t${file}\n")
  endforeach()
  file(CONFIGURE OUTPUT "${generated}/embedded_assets.txt" CONTENT "@manifest@" @ONLY)

  set(output "${generated}/embedded_assets.cpp")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DMANIFEST=${generated}/embedded_assets.txt" "-DOUTPUT=${output}"
            -P "${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake"
    DEPENDS ${files} "${generated}/embedded_assets.txt" "${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake"
    COMMENT "Embedding the files for browsers"
    VERBATIM)
  # The standard promises string literals of 65,536 bytes only; both compilers take far longer ones.
  set_source_files_properties("${output}" PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
  set(${result} "${output}" PARENT_SCOPE)
endfunction()
