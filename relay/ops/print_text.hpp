// Views as text for a terminal. Text from messages is made safe: it cannot control the terminal.
#pragma once

#include <string>
#include <string_view>

#include "relay/ops/views.hpp"

namespace relay::ops {

std::string list_heading();
std::string text_lines(const ListPage& page);  ///< one line per copy, in columns
std::string text_lines(const MessageView& view);
std::string text_lines(const WhyView& view);
std::string text_lines(const ChangeView& view);
std::string text_lines(const PauseView& view);
std::string text_lines(const StatusView& view);
std::string text_lines(const ReloadView& view);

/// For a listing that ends before the queue does: where to go on.
std::string text_more(const mail::CopyId& next);

/// The lines unchanged, except for octets that could control a terminal.
std::string printable_lines(std::string_view text);

/// Cuts the content of a message into pieces that can be shown one by one: no character and no line
/// end is divided between two pieces.
class ContentPieces {
 public:
  /// The part that can be shown after `piece` has come.
  std::string take(std::string piece);

  /// The rest, at the end.
  std::string rest() { return std::move(kept_); }

 private:
  std::string kept_;
};

}  // namespace relay::ops
