// The folder and files of the queue: made with the right modes, on a file system that can be
// trusted.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace relay::spool {

/// The folder alone: see prepare_folder().
std::expected<void, std::string> make_folder(const std::string& path, bool allow_network);

/// Makes folder (0700) and file (0600) where missing, and makes their names durable. Refuses
/// network file systems unless allowed: their locks and syncs cannot be relied on. The error is a
/// sentence.
std::expected<void, std::string> prepare_folder(const std::string& path, bool allow_network);

/// Why prepare_folder() would refuse, as far as that can be seen without making or opening
/// anything.
std::expected<void, std::string> look_at_folder(const std::string& path, bool allow_network);

/// Space set aside so that finished deliveries can be recorded on a full disk. Best effort: without
/// it, deliveries stop earlier.
void make_reserve(const std::string& path);
void release_reserve(const std::string& path);

std::uint64_t free_octets(const std::string& path);

}  // namespace relay::spool
