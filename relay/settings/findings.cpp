#include "relay/settings/findings.hpp"

#include <utility>

#include <fmt/format.h>

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"

namespace relay::settings {

namespace {

std::vector<std::size_t> line_begins(std::string_view text) {
  std::vector<std::size_t> begins;
  for (std::size_t at = text.size() - without_mark(text).size(); at < text.size();) {
    begins.push_back(at);
    const std::size_t end = text.find('\n', at);
    at = end == std::string_view::npos ? text.size() : end + 1;
  }
  return begins;
}

}  // namespace

Findings::Findings() = default;
Findings::~Findings() = default;

void Findings::name_file(const std::string& path, const base::SourcePosition& at) {
  named_files_.push_back({path, place(at), FileStamp::of(path)});
}

void Findings::remember(const std::string& file, std::string text) {
  sources_[file] = {.text = std::move(text), .begins = {}};
}

std::string Findings::line(const std::string& file, std::uint32_t number) {
  if (number == 0) return {};
  const auto known = sources_.find(file);
  if (known == sources_.end()) {
    auto content = read_file(file);
    remember(file, content ? std::move(*content) : std::string());
    return line(file, number);
  }
  auto& [text, begins] = known->second;
  if (begins.empty()) begins = line_begins(text);
  if (number > begins.size()) return {};
  const std::size_t begin = begins[number - 1];
  std::string shown = text.substr(begin, text.find('\n', begin) - begin);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';  // a tab would shift the caret
  }
  return shown;
}

void Findings::add(Problem problem) {
  Kind& kind = problem.warning ? warnings_ : errors_;
  if (kind.count++ < kMostShown) {
    problem.source_line = line(problem.at.file, problem.at.line);
    problems_.push_back(std::move(problem));
    return;
  }
  if (kind.count == kMostShown + 1) {
    kind.rest_at = problems_.size();
    problems_.push_back({.at = {}, .code = problem.code, .warning = problem.warning});
  }
  Problem& rest = problems_[kind.rest_at];
  rest.at = {.file = problem.at.file};
  rest.text = fmt::format("{} more of what is wrong is not shown", kind.count - kMostShown);
}

void Findings::add(base::SourcePosition at, ProblemCode code, std::string text, std::string hint,
                   std::size_t width) {
  add(Problem{.at = std::move(at),
              .code = code,
              .text = std::move(text),
              .hint = std::move(hint),
              .source_line = {},
              .width = static_cast<std::uint32_t>(width),
              .warning = false});
}

void Findings::warn(base::SourcePosition at, std::string text, std::string hint,
                    std::size_t width) {
  add(Problem{.at = std::move(at),
              .code = ProblemCode::Value,
              .text = std::move(text),
              .hint = std::move(hint),
              .source_line = {},
              .width = static_cast<std::uint32_t>(width),
              .warning = true});
}

void Findings::warn_of_mark(const std::string& path, std::string_view content) {
  if (without_mark(content).size() == content.size()) return;
  warn({path, 1, 1}, "the file begins with a byte order mark, which is passed over",
       "save it as UTF-8 without one");
}

base::SourcePlace Findings::place(const base::SourcePosition& at) {
  const auto [known, fresh] = numbers_.try_emplace(at.file, files_.size());
  if (fresh) files_.push_back(at.file);
  base::SourcePlace place;
  constexpr std::size_t kMostFiles = 1U << 20;
  constexpr std::uint32_t kMostLines = 1U << 28;
  constexpr std::uint32_t kMostColumns = 1U << 16;
  if (known->second >= kMostFiles || at.line >= kMostLines) return place;
  place.file = known->second;
  place.line = at.line;
  place.column = at.column < kMostColumns ? at.column : 1;
  return place;
}

base::SourcePosition Findings::position(const base::SourcePlace& place) const {
  if (files_.empty()) return {};
  if (place.line == 0 || place.file >= files_.size()) return {files_.front(), 0, 0};
  return {files_[place.file], static_cast<std::uint32_t>(place.line),
          static_cast<std::uint32_t>(place.column)};
}

}  // namespace relay::settings
