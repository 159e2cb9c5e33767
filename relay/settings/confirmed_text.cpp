#include "relay/settings/confirmed_text.hpp"

#include <fmt/format.h>

#include "relay/settings/files.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem_code.hpp"

namespace relay::settings {

using forward::ConfirmedTargets;

namespace {

constexpr std::size_t kMaxReported = 20;  // the wrong file has a mistake on every line

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

struct Word {
  std::string_view text;
  std::size_t column = 1;
};

Word only_word(std::string_view line) {
  std::string_view text = without_comment(line);
  const std::size_t length = text.size();
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  const std::size_t column = length - text.size() + 1;
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return {text, column};
}

/// What is wrong with the entry; "" when it was added.
std::string add_entry(std::string_view text, ConfirmedTargets& confirmed) {
  if (text.starts_with('@')) {
    const auto domain = mail::Domain::parse(text.substr(1));
    if (!domain) return fmt::format("\"{}\": {}", text, mail::describe(domain.error()));
    confirmed.add(*domain);
    return {};
  }
  const auto target = mail::Mailbox::parse(text);
  if (!target) return fmt::format("\"{}\": {}", text, mail::describe(target.error()));
  confirmed.add(*target);
  return {};
}

class Reader {
 public:
  Reader(const std::string& path, std::string_view content, Findings& findings)
      : content_(content), findings_(findings), at_{path, 0, 1} {}

  void read(ConfirmedTargets& confirmed) {
    for (std::size_t begin = 0; begin < content_.size() && reported_ < kMaxReported;) {
      const std::size_t end = content_.find('\n', begin);
      if (++at_.line > kMaxConfirmedLines) {
        report(1, fmt::format("more than {} lines", kMaxConfirmedLines));
        return;
      }
      const Word word = only_word(content_.substr(begin, end - begin));
      if (!word.text.empty()) {
        const std::string wrong = end == std::string::npos
                                      ? "the last line has no end: is it whole? add a line feed"
                                      : add_entry(word.text, confirmed);
        if (!wrong.empty()) report(word.column, wrong);
      }
      begin = end == std::string::npos ? content_.size() : end + 1;
    }
  }

 private:
  void report(std::size_t column, const std::string& text) {
    // Keeps the text when the first problem is found: problems show their lines.
    if (reported_++ == 0) findings_.remember(at_.file, std::string(content_));
    at_.column = static_cast<std::uint32_t>(column);
    findings_.add(at_, ProblemCode::Value, text);
  }

  const std::string_view content_;
  Findings& findings_;
  base::SourcePosition at_;
  std::size_t reported_ = 0;
};

}  // namespace

void read_confirmed_text(const std::string& path, const std::string& content,
                         ConfirmedTargets& confirmed, Findings& findings) {
  findings.warn_of_mark(path, content);
  Reader(path, without_mark(content), findings).read(confirmed);
}

}  // namespace relay::settings
