// How large the classes are, whatever the files are called that hold them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/architecture/sources.hpp"

namespace relay::architecture {

/// The lines of each class, by its name with its folder in front: "relay/smtp/Reply". A class that
/// a source keeps to itself has the source in front: "relay/smtp/reply.cpp/Cursor".
///
/// A file counts as a whole, with its includes and helpers, for the class that has most of its
/// lines: the lines of the class itself and of the definitions of its members. A class that has
/// less of the file has just those lines. So files of other names make no class smaller, and
/// neither does a definition at the end of somebody else's file. A nested class is part of the
/// class around it.
///
/// The sources have to be as clang-format leaves them: what a namespace holds begins in the first
/// column, and nothing else does.
std::map<std::string, int> lines_by_class(const std::vector<Source>& sources);

/// A sentence for each class that is too large.
std::vector<std::string> large_classes(const std::vector<Source>& sources);

}  // namespace relay::architecture
