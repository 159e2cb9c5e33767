#include "relay/delivery/copy_head.hpp"

#include <utility>

namespace relay::delivery {

std::expected<CopyHead, ports::SpoolError> head_of(const mail::AcceptedMessage& message,
                                                   const mail::Route& route,
                                                   const ContentSource& content) {
  const mail::Handling& handling = route.handling;
  std::string mark = mail::mark_field(route);
  if (!handling.new_author) {
    const std::string_view seal = handling.seal ? message.seal_fields : std::string_view();
    return CopyHead{
        .mark = std::move(mark), .fields = {seal, message.trace_fields}, .content_begin = 0};
  }
  // The original header, in the first chunk as a whole, must be followed by the empty line, or by
  // nothing if the message has no body.
  const std::string_view front = content.front();
  const std::size_t begin = message.header_octets;
  const bool fits = message.rewritten_head.ends_with("\r\n") && begin <= front.size() &&
                    (begin == message.size || front.substr(begin).starts_with("\r\n"));
  if (!fits) return std::unexpected(ports::SpoolError::Corrupt);
  return CopyHead{
      .mark = std::move(mark), .fields = {message.rewritten_head, {}}, .content_begin = begin};
}

bool leave_alike(const mail::Route& a, const mail::Route& b) {
  if (a.mark != mail::AliasMark::None || b.mark != mail::AliasMark::None) return false;
  return a.reverse_path == b.reverse_path && a.handling.seal == b.handling.seal &&
         a.handling.risk_pool == b.handling.risk_pool &&
         a.handling.new_author == b.handling.new_author;
}

}  // namespace relay::delivery
