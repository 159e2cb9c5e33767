// Views as text for a terminal. What strangers wrote is shown so that no terminal obeys it.
#pragma once

#include <string>
#include <string_view>

#include "relay/ops/views.hpp"

namespace relay::ops {

std::string list_heading();
std::string text_lines(const ListPage& page);  ///< a line for each copy, in columns
std::string text_lines(const MessageView& view);
std::string text_lines(const WhyView& view);
std::string text_lines(const ChangeView& view);
std::string text_lines(const PauseView& view);
std::string text_lines(const StatusView& view);
std::string text_lines(const ReloadView& view);

/// A listing ends before the queue does: where to go on.
std::string text_more(const mail::CopyId& next);

/// Many lines as they are, and nothing that a terminal obeys.
std::string printable_lines(std::string_view text);

/// Cuts the content of a message into pieces that can be shown one by one: neither a character nor
/// a line end is in two of them.
class ContentPieces {
 public:
  /// What can be shown once `piece` has come.
  std::string take(std::string piece);

  /// What is left at the end.
  std::string rest() { return std::move(kept_); }

 private:
  std::string kept_;
};

}  // namespace relay::ops
