#include "relay/auth/dkim/canonical_body.hpp"

#include <algorithm>

namespace relay::auth::dkim {

namespace {

constexpr std::size_t kBlockOctets = 4096;

bool is_wsp(char c) { return c == ' ' || c == '\t'; }

/// True when relaxing would change nothing inside `part`: no tab and no two spaces in a row.
/// Without an early exit, so that the compiler makes vector code of it; most lines are plain.
bool is_plain(std::string_view part) {
  const char* octets = part.data();
  unsigned char odd = 0;
  for (std::size_t i = 0; i + 1 < part.size(); ++i) {
    const bool tab = octets[i] == '\t';
    const bool two = octets[i] == ' ' && octets[i + 1] == ' ';
    odd = static_cast<unsigned char>(odd | static_cast<unsigned char>(tab | two));
  }
  return odd == 0;
}

}  // namespace

void CanonicalBody::mark(std::uint64_t length) {
  const auto place = std::ranges::lower_bound(marks_, length, {}, &Mark::length);
  if (place == marks_.end() || place->length != length) marks_.insert(place, {length, {}});
}

const std::string& CanonicalBody::digest_at(std::uint64_t length) const {
  return std::ranges::find(marks_, length, &Mark::length)->digest;
}

void CanonicalBody::update(std::string_view octets) {
  if (octets.empty()) return;
  if (pending_cr_) {
    pending_cr_ = false;
    if (octets.front() == '\n') {
      line_end();
      octets.remove_prefix(1);
    } else {
      emit("\r");
    }
  }
  while (!octets.empty()) {
    const std::size_t cr = octets.find('\r');
    line_part(octets.substr(0, cr));
    if (cr == std::string_view::npos) return;
    if (cr + 1 == octets.size()) {
      pending_cr_ = true;
      return;
    }
    const bool ends_line = octets[cr + 1] == '\n';
    if (ends_line) {
      line_end();
    } else {
      emit("\r");
    }
    octets.remove_prefix(cr + (ends_line ? 2 : 1));
  }
}

void CanonicalBody::finish() {
  if (pending_cr_) emit("\r");
  // A body ends with exactly one CRLF, whatever it came with; an empty one stays empty when relaxed
  // and becomes a CRLF when simple.
  if (any_ || canon_ == Canon::Simple) append("\r\n");
  hash(block_);
  digest_ = hash_.digest();
  for (; next_mark_ < marks_.size(); ++next_mark_) marks_[next_mark_].digest = digest_;
}

void CanonicalBody::line_end() {
  ++pending_crlfs_;
  pending_space_ = false;
}

/// Takes octets of one line: the whole of it, or what a chunk holds of it.
void CanonicalBody::line_part(std::string_view part) {
  if (canon_ == Canon::Relaxed) {
    relaxed_part(part);
  } else if (!part.empty()) {
    emit(part);
  }
}

void CanonicalBody::relaxed_part(std::string_view part) {
  while (!part.empty() && is_wsp(part.front())) {
    pending_space_ = true;
    part.remove_prefix(1);
  }
  if (part.empty()) return;
  bool space_behind = false;
  while (is_wsp(part.back())) {
    space_behind = true;
    part.remove_suffix(1);
  }
  if (is_plain(part)) {
    emit(part);
  } else {
    squeeze(part);
  }
  pending_space_ = space_behind;
}

/// Emits the words of `part` with one space between them. `part` has no white space at its ends.
void CanonicalBody::squeeze(std::string_view part) {
  while (true) {
    const std::size_t end = part.find_first_of(" \t");
    emit(part.substr(0, end));
    if (end == std::string_view::npos) return;
    part.remove_prefix(part.find_first_not_of(" \t", end));
    pending_space_ = true;
  }
}

/// Appends octets that are certain to stay, after the line ends and the space kept back before.
void CanonicalBody::emit(std::string_view octets) {
  for (; pending_crlfs_ > 0; --pending_crlfs_) append("\r\n");
  if (pending_space_) append(" ");
  pending_space_ = false;
  append(octets);
  any_ = true;
}

void CanonicalBody::append(std::string_view octets) {
  if (block_.size() + octets.size() > kBlockOctets) {
    hash(block_);
    block_.clear();
    if (octets.size() >= kBlockOctets) {
      hash(octets);
      return;
    }
  }
  if (block_.capacity() < kBlockOctets) block_.reserve(kBlockOctets);
  block_.append(octets);
}

void CanonicalBody::hash(std::string_view octets) {
  while (next_mark_ < marks_.size() && marks_[next_mark_].length <= hashed_ + octets.size()) {
    Mark& mark = marks_[next_mark_++];
    const std::string_view before = octets.substr(0, mark.length - hashed_);
    hash_.update(before);
    hashed_ += before.size();
    octets.remove_prefix(before.size());
    mark.digest = hash_.digest();
  }
  hash_.update(octets);
  hashed_ += octets.size();
}

}  // namespace relay::auth::dkim
