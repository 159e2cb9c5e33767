// Small files of the program itself that must survive a power cut: keys, and state that is kept
// beside the queue.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace relay::base {

enum class IfThere { Fail, Empty };

/// Writes the whole file, never through a symbolic link, and syncs it to disk before it returns. A
/// file that it creates gets mode 0600, and its name is durable only after sync_folder().
/// `if_there` says what happens when the file exists. False: errno says why; part of the content
/// may have been written.
bool write_private_file(const std::string& path, std::string_view content, IfThere if_there);

/// The folder of `path`; "." for a bare name.
std::filesystem::path folder_of(const std::string& path);

/// Makes files created, renamed or removed in the folder durable. False: errno says why.
bool sync_folder(const std::filesystem::path& folder);

}  // namespace relay::base
