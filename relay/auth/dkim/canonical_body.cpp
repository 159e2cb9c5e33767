#include "relay/auth/dkim/canonical_body.hpp"

#include <algorithm>
#include <array>
#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>

#include "relay/base/text.hpp"
#endif

namespace relay::auth::dkim {

namespace {

constexpr std::size_t kBlockOctets = 4096;

constexpr std::size_t kStride = 64;

#if defined(__SSE2__)
/// One bit for each of sixteen octets that relaxing may change; reads one octet beyond them.
unsigned odd_bits(const char* octets) {
  const auto load = [](const char* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  };
  const auto is = [](__m128i block, char c) { return _mm_cmpeq_epi8(block, _mm_set1_epi8(c)); };
  const __m128i here = load(octets);
  const __m128i next = load(octets + 1);
  const __m128i space = _mm_and_si128(is(here, ' '), _mm_or_si128(is(next, ' '), is(next, '\r')));
  const __m128i bare_cr = _mm_andnot_si128(is(next, '\n'), is(here, '\r'));
  const __m128i odd = _mm_or_si128(_mm_or_si128(is(here, '\t'), space), bare_cr);
  return static_cast<unsigned>(_mm_movemask_epi8(odd));
}
#else
unsigned odd_bits(const char* octets) {
  unsigned bits = 0;
  for (unsigned i = 0; i < 16; ++i) {
    const char next = octets[i + 1];
    const bool space = octets[i] == ' ' && (next == ' ' || next == '\r');
    const bool bare_cr = octets[i] == '\r' && next != '\n';
    bits |= static_cast<unsigned>(octets[i] == '\t' || space || bare_cr) << i;
  }
  return bits;
}
#endif

/// Index of the first of kStride octets that relaxing may change: a tab, a space followed by a
/// space or CR, a CR without LF. kStride if there is none. Reads one octet beyond the kStride.
std::size_t first_odd(const char* octets) {
  for (std::size_t at = 0; at < kStride; at += 16) {
    const unsigned bits = odd_bits(octets + at);
    if (bits != 0) return at + static_cast<std::size_t>(std::countr_zero(bits));
  }
  return kStride;
}

/// The same for the last octets of a text, fewer than kStride.
std::size_t first_odd_in_rest(std::string_view rest) {
  std::array<char, kStride + 1> padded{};
  std::ranges::copy(rest, padded.begin());
  return std::min(first_odd(padded.data()), rest.size());
}

/// `text` without the line ends at its end, including a CR whose LF may still come.
std::string_view without_line_ends(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  while (text.ends_with("\r\n")) text.remove_suffix(2);
  return text;
}

/// `text` without the white space and line ends at its end, which may still be dropped.
std::string_view without_open_end(std::string_view text) {
  while (true) {
    if (text.ends_with("\r\n")) {
      text.remove_suffix(2);
    } else if (!text.empty() && (base::is_wsp(text.back()) || text.back() == '\r')) {
      text.remove_suffix(1);
    } else {
      return text;
    }
  }
}

/// Number of octets at the start of `text` that relaxing does not change, which is most of a
/// message, line ends included. White space and line ends at the very end are not counted.
/// Precondition: `text` begins with neither.
std::size_t unchanged(std::string_view text) {
  std::size_t end = 0;
  std::size_t found = kStride;
  while (found == kStride && end + kStride < text.size()) {
    found = first_odd(text.data() + end);
    end += found;
  }
  if (found == kStride) end += first_odd_in_rest(text.substr(end));
  return without_open_end(text.substr(0, end)).size();
}

/// Shorter unchanged pieces are words between blanks, for which relaxing octet by octet is faster.
constexpr std::size_t kShortPiece = 8;

/// Octets to relax one by one before looking for a longer unchanged piece again.
constexpr std::size_t kSqueezed = 4 * kStride;

/// Relaxes `text` into `out` and returns the resulting number of octets. Precondition: `text` does
/// not end in white space or a line end. Every octet is written, and those to be dropped are
/// overwritten by the next one: between short words a branch would be mispredicted half of the
/// time.
std::size_t squeeze(std::string_view text, char* out) {
  std::size_t size = 0;
  std::size_t at = 0;
  for (; at + 2 < text.size(); ++at) {
    const char next = text[at + 1];
    const bool wsp = base::is_wsp(text[at]);
    const bool line_end = (next == '\r') & (text[at + 2] == '\n');
    out[size] = wsp ? ' ' : text[at];
    size += static_cast<std::size_t>(!(wsp & (base::is_wsp(next) | line_end)));
  }
  for (; at < text.size(); ++at) out[size++] = base::is_wsp(text[at]) ? ' ' : text[at];
  return size;
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

/// Consumes text, white space or a line end; returns the number of octets consumed.
std::size_t CanonicalBody::take(std::string_view octets) {
  if (canon_ == Canon::Simple) {
    // The simple form only drops line ends at the end of the body.
    const std::size_t size = without_line_ends(octets).size();
    emit(octets.substr(0, size));
    return size + (size < octets.size() ? take_line_end(octets.substr(size)) : 0);
  }
  if (octets.front() == '\r') return take_line_end(octets);
  if (base::is_wsp(octets.front())) {
    pending_space_ = true;
    return std::min(octets.find_first_not_of(" \t"), octets.size());
  }
  const std::size_t size = unchanged(octets);
  if (size >= kShortPiece || size == octets.size()) {
    emit(octets.substr(0, size));
    return size;
  }
  std::array<char, kSqueezed> relaxed;
  const std::string_view window = without_open_end(octets.substr(0, kSqueezed));
  emit({relaxed.data(), squeeze(window, relaxed.data())});
  return window.size();
}

/// Consumes a CR and, if present, its LF.
std::size_t CanonicalBody::take_line_end(std::string_view octets) {
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

void CanonicalBody::finish() {
  if (pending_cr_) emit("\r");
  // The canonical body ends with exactly one CRLF. An empty body stays empty in the relaxed form
  // and becomes one CRLF in the simple form.
  if (any_ || canon_ == Canon::Simple) append("\r\n");
  hash(block_);
  digest_ = hash_.digest();
  for (; next_mark_ < marks_.size(); ++next_mark_) marks_[next_mark_].digest = digest_;
}

void CanonicalBody::line_end() {
  ++pending_crlfs_;
  pending_space_ = false;
}

/// Appends octets that are certain to stay, preceded by the line ends and the space held back.
void CanonicalBody::emit(std::string_view octets) {
  if (octets.empty()) return;
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
