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

/// Why prepare_folder() would fail, as far as can be seen without creating or opening anything.
std::expected<void, std::string> look_at_folder(const std::string& path, bool allow_network);

/// Space set aside so that deliveries can be recorded on a full disk. Best effort: without it,
/// deliveries stop earlier.
void make_reserve(const std::string& path);
void release_reserve(const std::string& path);

std::uint64_t free_octets(const std::string& path);

}  // namespace relay::spool
