// The fields in front of a copy: how one stored message leaves in several forms. Knows no
// connection.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "relay/delivery/content_source.hpp"
#include "relay/mail/message.hpp"

namespace relay::delivery {

/// Our fields, CRLF-terminated, followed by the stored content from `content_begin` on. Refers to
/// the message, which must outlive it.
struct CopyHead {
  std::string mark;  ///< on top; not covered by signature or seal
  std::array<std::string_view, 2> fields;
  std::size_t content_begin = 0;  ///< > 0: the original header is replaced

  /// Octets of the whole copy before dot-stuffing, for SIZE=.
  std::uint64_t size(const mail::AcceptedMessage& message) const {
    return mark.size() + fields[0].size() + fields[1].size() + message.size - content_begin;
  }
};

/// Sealed: our ARC set, then the trace fields. New author: the rewritten head replaces trace fields
/// and original header; no seal, for it would cover the header that was replaced. `content` is
/// open. Corrupt if the stored message does not fit this form.
std::expected<CopyHead, ports::SpoolError> head_of(const mail::AcceptedMessage& message,
                                                   const mail::Route& route,
                                                   const ContentSource& content);

/// Both copies have the same octets and sender, so one transaction can carry both. A copy that
/// names its alias never equals another.
bool leave_alike(const mail::Route& a, const mail::Route& b);

}  // namespace relay::delivery
