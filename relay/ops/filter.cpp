#include "relay/ops/filter.hpp"

#include <algorithm>

#include "relay/base/text.hpp"

namespace relay::ops {

namespace {

constexpr std::size_t kUlidLength = 26;

bool is_ulid_prefix(std::string_view text) {
  return !text.empty() && text.size() <= kUlidLength &&
         std::ranges::all_of(text, [](char c) { return base::is_alpha(c) || base::is_digit(c); });
}

std::string upper(std::string_view text) {
  std::string raised(text);
  for (char& c : raised) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return raised;
}

std::expected<void, std::string> set_id(ports::QueueFilter& filter, std::string_view text) {
  if (!is_ulid_prefix(text)) {
    return std::unexpected("not a message id or filter word: " + std::string(text));
  }
  if (text.size() == kUlidLength) {
    filter.id = base::Ulid::parse(text);
    if (!filter.id) return std::unexpected("not a message id: " + std::string(text));
  } else {
    filter.id_prefix = upper(text);
  }
  return {};
}

std::expected<void, std::string> set_state(ports::QueueFilter& filter, std::string_view text) {
  if (text == "waiting" || text == "deferred") {
    filter.state = mail::RecipientState::Waiting;
  } else if (text == "held") {
    filter.state = mail::RecipientState::Held;
  } else {
    return std::unexpected("state: takes waiting, deferred or held, not " + std::string(text));
  }
  return {};
}

}  // namespace

std::expected<ports::QueueFilter, std::string> parse_filter(const std::vector<std::string>& words) {
  ports::QueueFilter filter;
  for (const std::string& word : words) {
    const std::size_t colon = word.find(':');
    const std::string_view key = std::string_view(word).substr(0, colon);
    const std::string_view value =
        colon == std::string::npos ? std::string_view() : std::string_view(word).substr(colon + 1);
    std::expected<void, std::string> set;
    if (colon == std::string::npos) {
      if (word != "all") set = set_id(filter, word);
    } else if (key == "id") {
      set = set_id(filter, value);
    } else if (key == "to") {
      filter.target = base::lower(value);
    } else if (key == "from") {
      filter.sender = base::lower(value);
    } else if (key == "state") {
      set = set_state(filter, value);
    } else {
      set = std::unexpected("unknown filter word " + word + " (known: id: to: from: state: all)");
    }
    if (!set) return std::unexpected(set.error());
  }
  return filter;
}

bool is_bulk(const ports::QueueFilter& filter) { return !filter.id; }

}  // namespace relay::ops
