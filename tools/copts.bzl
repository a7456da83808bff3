"""The warnings that this project's own C++ is compiled with.

Use it in every C++ target: `copts = ISOLATE_COPTS`. It is a list for targets and
no line in .bazelrc, so that other people's code is not held to it.
"""

# Known to gcc 12 and clang 14 alike. -Wconversion is missing because Abseil's
# headers, which count as ours when they are included, do not pass it.
ISOLATE_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wcast-align",
    "-Wcast-qual",
    "-Wextra-semi",
    "-Wformat=2",
    "-Wimplicit-fallthrough",
    "-Wmissing-declarations",
    "-Wnon-virtual-dtor",
    "-Wold-style-cast",
    "-Woverloaded-virtual",
    "-Wpointer-arith",
    "-Wredundant-decls",
    "-Wshadow",
    "-Wundef",
    "-Wvla",
    "-Wwrite-strings",
]
