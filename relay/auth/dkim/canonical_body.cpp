#include "relay/auth/dkim/canonical_body.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace relay::auth::dkim {

namespace {

constexpr std::size_t kBlockOctets = 4096;

bool is_wsp(char c) { return c == ' ' || c == '\t'; }

/// Octets are looked at in strides without an early exit, so that the compiler makes vector code.
constexpr std::size_t kStride = 64;

/// The first of kStride octets, another behind them, where relaxing may change something: a tab, a
/// space with another one or a line end behind it, a CR that ends no line. kStride: none.
std::size_t first_odd(const char* octets) {
  std::array<unsigned char, kStride> odd;
  for (std::size_t i = 0; i < kStride; ++i) {
    const char c = octets[i];
    const char next = octets[i + 1];
    const auto tab = static_cast<unsigned char>(c == '\t');
    const auto space = static_cast<unsigned char>(c == ' ');
    const auto doubled = static_cast<unsigned char>(next == ' ');
    const auto last = static_cast<unsigned char>(next == '\r');
    const auto cr = static_cast<unsigned char>(c == '\r');
    const auto bare = static_cast<unsigned char>(next != '\n');
    odd[i] = static_cast<unsigned char>(tab | (space & (doubled | last)) | (cr & bare));
  }
  const void* found = std::memchr(odd.data(), 1, kStride);
  if (found == nullptr) return kStride;
  return static_cast<std::size_t>(static_cast<const unsigned char*>(found) - odd.data());
}

/// The same for less than a stride, the last octet of all.
std::size_t first_odd_in_rest(std::string_view rest) {
  std::array<char, kStride + 1> padded{};
  std::ranges::copy(rest, padded.begin());
  return std::min(first_odd(padded.data()), rest.size());
}

/// Octets of `text`, which begins with an ordinary one, that relaxing leaves as they are: most of a
/// message, line ends included. What stands at the end and may vanish yet does not count: white
/// space and line ends.
std::size_t unchanged(std::string_view text) {
  std::size_t end = 0;
  std::size_t found = kStride;
  while (found == kStride && end + kStride < text.size()) {
    found = first_odd(text.data() + end);
    end += found;
  }
  if (found == kStride) end += first_odd_in_rest(text.substr(end));
  text = text.substr(0, end);
  while (true) {
    if (text.ends_with("\r\n")) {
      text.remove_suffix(2);
    } else if (is_wsp(text.back()) || text.back() == '\r') {
      text.remove_suffix(1);
    } else {
      return text.size();
    }
  }
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
  while (!octets.empty()) octets.remove_prefix(take(octets));
}

/// Takes white space, a line end, or text; returns how much of `octets` that was.
std::size_t CanonicalBody::take(std::string_view octets) {
  if (octets.front() == '\r') {
    if (octets.size() == 1) {
      pending_cr_ = true;
      return 1;
    }
    if (octets[1] == '\n') {
      line_end();
      return 2;
    }
    emit("\r");
    return 1;
  }
  if (canon_ == Canon::Simple) {
    const std::size_t size = std::min(octets.find('\r'), octets.size());
    emit(octets.substr(0, size));
    return size;
  }
  if (is_wsp(octets.front())) {
    pending_space_ = true;
    return std::min(octets.find_first_not_of(" \t"), octets.size());
  }
  const std::size_t size = unchanged(octets);
  emit(octets.substr(0, size));
  return size;
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
