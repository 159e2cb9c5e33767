// The header section of a message as received (RFC 5322 §2.2): read once, never changed. Knows
// fields and the Message-ID, but neither addresses nor MIME.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::mail {

/// The highest limit that a configuration may set. A header and its empty line fit into the first
/// chunk that the queue stores, so reading a header again needs that chunk only.
inline constexpr std::size_t kMaxHeaderOctets = 256UL * 1024;
inline constexpr std::size_t kMaxHeaderFields = 50'000;

/// One field, as views into the block it was found in.
struct HeaderField {
  std::string_view name;   ///< before the colon, white space at its end removed (RFC 5322 §4.5)
  std::string_view value;  ///< behind the colon, folding and final CRLF included
  std::string_view raw;    ///< the whole field, final CRLF included
};

/// Length of the header block of `content`: up to and including the CRLF before the empty line.
/// nullopt: no empty line so far (a message may consist of a header alone).
std::optional<std::size_t> header_length(std::string_view content);

/// Length of the logical line at the start of `text`: up to the first CRLF without white space
/// after it.
std::size_t folded_line_length(std::string_view text);

/// The fields of a header block, in order; an empty line ends it. Lines that are neither a field
/// nor a continuation of one are left out. Linear time. The views live as long as the block.
std::vector<HeaderField> readable_fields(std::string_view block);

/// All fields called `name` (without case), topmost first.
std::vector<HeaderField> find_fields(const std::vector<HeaderField>& fields, std::string_view name);

/// Unfolds a value: CRLF before white space removed, white space at both ends removed (§2.2.3).
std::string unfolded(std::string_view value);

/// The header of one message, parsed once and passed along. It hands out views into itself, so it
/// can be neither copied nor moved.
class Header {
 public:
  /// `block`: up to and including the CRLF before the empty line; anything after an empty line is
  /// cut off.
  explicit Header(std::string block);
  Header(const Header&) = delete;
  Header& operator=(const Header&) = delete;
  ~Header() = default;

  /// Octet by octet as received.
  const std::string& block() const { return block_; }

  /// What stands before the first field and belongs to none: the line "From ann@… Mon …" of an mbox
  /// file, or lines that begin with white space, which would continue a field above them.
  std::string_view preamble() const { return std::string_view(block_).substr(0, preamble_); }

  /// The header without the preamble: what is verified and signed.
  std::string_view judged() const { return std::string_view(block_).substr(preamble_); }

  /// In order. Lines that are no field are left out.
  const std::vector<HeaderField>& fields() const { return fields_; }

  /// Lines that are no field, each with its continuation lines.
  const std::vector<std::string_view>& unreadable() const { return unreadable_; }

  /// All fields called `name` (without case), topmost first.
  std::vector<HeaderField> find(std::string_view name) const { return find_fields(fields_, name); }

  /// "<…@…>" when there is exactly one Message-ID and it is safe to repeat in a header field
  /// (RFC 5322 §3.6.4 without obsolete forms, at most 250 octets); else "".
  std::string message_id() const;

 private:
  std::string block_;
  std::size_t preamble_ = 0;
  std::vector<HeaderField> fields_;
  std::vector<std::string_view> unreadable_;
};

using HeaderPtr = std::shared_ptr<const Header>;

}  // namespace relay::mail
