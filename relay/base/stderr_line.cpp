#include "relay/base/stderr_line.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "relay/base/log_file.hpp"

namespace relay::base {

namespace {

// What a pipe takes at once, so that lines of several processes do not mix.
constexpr std::size_t kLongestLine = 4096;

}  // namespace

std::string_view journal_priority(Severity severity) {
  switch (severity) {
    case Severity::Error:
      return "<3>";
    case Severity::Warning:
      return "<4>";
    case Severity::Info:
      return "<6>";
    case Severity::Debug:
      return "<7>";
  }
  return "<6>";
}

void say_on_stderr(Severity severity, std::string_view text) noexcept {
  LogFile to = LogFile::of_stderr();
  WriteProgress impatient;
  impatient.gives_up = true;
  const std::string_view prefix = to.wants_priority() ? journal_priority(severity) : "";
  std::array<char, kLongestLine> buffer{};
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    char* const end = std::ranges::copy(prefix, buffer.data()).out;
    const auto room = static_cast<std::size_t>(buffer.end() - end - 1);
    *std::ranges::copy(line.substr(0, room), end).out = '\n';
    const std::size_t size = prefix.size() + std::min(line.size(), room) + 1;
    if (to.write({buffer.data(), size}, impatient) == 0) return;
  }
}

}  // namespace relay::base
