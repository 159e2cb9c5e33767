// What stands in front of a copy: how one stored message leaves in several forms. Knows no
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

/// Fields of ours, CRLF-terminated, then the stored content from an octet on. Refers to the
/// message, which must outlive it.
struct CopyHead {
  std::string mark;  ///< on top of everything: it is signed and sealed by nobody
  std::array<std::string_view, 2> fields;
  std::size_t content_begin = 0;  ///< > 0: the original header is replaced

  /// Of the whole copy, before dot-stuffing: what SIZE= says.
  std::uint64_t size(const mail::AcceptedMessage& message) const {
    return mark.size() + fields[0].size() + fields[1].size() + message.size - content_begin;
  }
};

/// Sealed: our ARC set on top, then the trace fields. New author: the rewritten head in place of
/// the trace fields and of the original header; no seal, which would be one over a header that is
/// not there any more. `content` is open. Corrupt when what was stored does not make a message of
/// that form.
std::expected<CopyHead, ports::SpoolError> head_of(const mail::AcceptedMessage& message,
                                                   const mail::Route& route,
                                                   const ContentSource& content);

/// The copies are the same octets under the same sender: one transaction can carry both. A copy
/// that names its alias is never the same as another.
bool leave_alike(const mail::Route& a, const mail::Route& b);

}  // namespace relay::delivery
