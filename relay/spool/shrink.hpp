// Gives pages that the database no longer uses back to the disk.
#pragma once

#include <cstdint>
#include <string>

#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

/// The file stays as it is up to this size.
inline constexpr std::uint64_t kShrinkAbove = 64ULL << 20;

/// Called at a start, while nothing waits. If the file has more than `above` octets and more than
/// half of them are unused, writes the used part anew. A crash in the middle leaves the file as it
/// was, or the new one. Takes seconds, so a queue that uses much is left alone. So is one that the
/// disk has no room to write twice, or that cannot be read to its end. Returns by how many octets
/// the file is shorter. Throws DatabaseError.
///
/// Not while the queue runs: `auto_vacuum` would do that page by page, but SQLite looks for each in
/// the list of all free pages, which for a file of 10 GiB adds up to twenty minutes of the writer's
/// time, and would keep a map of all pages for it.
std::uint64_t shrink(Connection& connection, const std::string& path, std::uint64_t above);

}  // namespace relay::spool
