#include "relay/mail/header.hpp"

#include <algorithm>
#include <utility>

#include "relay/base/text.hpp"

namespace relay::mail {

namespace {

constexpr std::string_view kEmptyLine = "\r\n";
constexpr std::string_view kMailboxLine = "From ";  // first line of a message in an mbox file

/// ftext of RFC 5322 §2.2.
bool is_field_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

std::optional<HeaderField> as_field(std::string_view raw) {
  const std::size_t colon = raw.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view name = raw.substr(0, colon);
  while (!name.empty() && base::is_wsp(name.back())) name.remove_suffix(1);
  if (!is_field_name(name)) return std::nullopt;
  return HeaderField{name, raw.substr(colon + 1), raw};
}

/// Takes the next logical line off `block`; empty at the end of the header.
std::string_view next_line(std::string_view& block) {
  if (block.empty() || block.starts_with(kEmptyLine)) return {};
  const std::string_view line = block.substr(0, folded_line_length(block));
  block.remove_prefix(line.size());
  return line;
}

/// True when the first line is the separator of an mbox file (but "From : ann@…" is a field), or a
/// continuation line without a field before it.
bool begins_in_no_field(std::string_view block) {
  if (block.empty()) return false;
  if (base::is_wsp(block.front())) return true;
  return block.starts_with(kMailboxLine) && !as_field(block.substr(0, folded_line_length(block)));
}

}  // namespace

std::size_t folded_line_length(std::string_view text) {
  std::size_t at = 0;
  while (true) {
    const std::size_t end = text.find("\r\n", at);
    if (end == std::string_view::npos) return text.size();
    at = end + 2;
    if (at >= text.size() || !base::is_wsp(text[at])) return at;
  }
}

std::optional<std::size_t> header_length(std::string_view content) {
  if (content.starts_with(kEmptyLine)) return 0;
  const std::size_t end = content.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return end + 2;
}

std::vector<HeaderField> readable_fields(std::string_view block) {
  std::vector<HeaderField> fields;
  for (auto line = next_line(block); !line.empty(); line = next_line(block)) {
    if (const auto field = as_field(line)) fields.push_back(*field);
  }
  return fields;
}

std::vector<HeaderField> find_fields(const std::vector<HeaderField>& fields,
                                     std::string_view name) {
  std::vector<HeaderField> found;
  std::ranges::copy_if(fields, std::back_inserter(found), [&](const HeaderField& field) {
    return base::equal_ignoring_case(field.name, name);
  });
  return found;
}

std::string unfolded(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool line_end = value.substr(i, 2) == "\r\n";
    if (line_end) {
      ++i;
    } else {
      text += value[i];
    }
  }
  while (!text.empty() && base::is_wsp(text.back())) text.pop_back();
  const auto first = std::ranges::find_if_not(text, base::is_wsp);
  text.erase(text.begin(), first);
  return text;
}

Header::Header(std::string block) : block_(std::move(block)) {
  block_.resize(header_length(block_).value_or(block_.size()));
  std::string_view rest = block_;
  if (begins_in_no_field(rest)) {
    next_line(rest);
    preamble_ = block_.size() - rest.size();
  }
  for (auto line = next_line(rest); !line.empty(); line = next_line(rest)) {
    if (const auto field = as_field(line)) {
      fields_.push_back(*field);
    } else {
      unreadable_.push_back(line);
    }
  }
}

std::string Header::message_id() const {
  constexpr std::size_t kMaxOctets = 250;
  const auto found = find("Message-ID");
  if (found.size() != 1) return {};
  std::string id = unfolded(found.front().value);
  if (id.size() < 5 || id.size() > kMaxOctets) return {};
  if (id.front() != '<' || id.back() != '>') return {};
  const std::string_view inner = std::string_view(id).substr(1, id.size() - 2);
  const bool safe = std::ranges::all_of(
      inner, [](char c) { return c > ' ' && c <= '~' && c != '<' && c != '>'; });
  return safe && inner.find('@') != std::string_view::npos ? id : std::string();
}

}  // namespace relay::mail
