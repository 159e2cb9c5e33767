// The folder and files of the queue: created with the right modes, on a file system that can be
// trusted.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace relay::spool {

/// The folder only; see prepare_folder().
std::expected<void, std::string> make_folder(const std::string& path, bool allow_network);

/// Creates folder (0700) and file (0600) if missing, and makes their names durable. Refuses network
/// file systems unless allowed, because their locks and syncs are not reliable. The error is a
/// sentence.
std::expected<void, std::string> prepare_folder(const std::string& path, bool allow_network);

/// Why the queue could not be opened, as far as can be seen without creating or changing anything:
/// what prepare_folder() would refuse, a file that is no database, and one of a newer program. Not
/// for the process that has the queue open: it would lose its lock, which ends when any descriptor
/// of the file is closed (fcntl(2)).
std::expected<void, std::string> look_at_queue(const std::string& path, bool allow_network);

/// Space set aside so that deliveries can be recorded on a full disk. Best effort: without it,
/// deliveries stop earlier.
void make_reserve(const std::string& path);
void release_reserve(const std::string& path);

std::uint64_t free_octets(const std::string& path);

}  // namespace relay::spool
