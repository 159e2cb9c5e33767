// Views as lines of JSON, the stable form for programs ("v":1; fields are only ever added).
#pragma once

#include <string>
#include <string_view>

#include "relay/ops/views.hpp"

namespace relay::ops {

std::string json_lines(const ListPage& page);  ///< one line per copy
std::string json_lines(const MessageView& view);
std::string json_lines(const WhyView& view);
std::string json_lines(const ChangeView& view);
std::string json_lines(const PauseView& view);
std::string json_lines(const StatusView& view);
std::string json_lines(const ReloadView& view);

/// For a listing that ends before the queue does: where to go on.
std::string json_more(std::size_t listed, const mail::CopyId& next);

/// A piece of a message's content. Octets that are not UTF-8 become the Latin-1 characters with the
/// same number.
std::string json_content(std::string_view piece);

}  // namespace relay::ops
