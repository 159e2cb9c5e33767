// Small files of our own that outlive a power cut: keys, and what is remembered beside the queue.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace relay::base {

enum class IfThere { Fail, Empty };

/// Writes a file as a whole, mode 0600, never through a symbolic link; its octets are on the disk
/// when it returns. A name that is new is there for good only after sync_folder(). `if_there`: what
/// becomes of a file of that name. False: with errno; a part of it may be there.
bool write_private_file(const std::string& path, std::string_view content, IfThere if_there);

/// The folder that a file of this path lies in: "." for a bare name.
std::filesystem::path folder_of(const std::string& path);

/// What was made, renamed or removed in the folder stays so from now on. False: with errno.
bool sync_folder(const std::filesystem::path& folder);

}  // namespace relay::base
