// What is recorded of a copy that nobody has tried.
#pragma once

#include "relay/ports/delivery_queue.hpp"

namespace relay::controls {

inline ports::CopyUpdate done_update(std::uint16_t index, std::uint32_t attempts_before,
                                     std::uint32_t changes_before, base::WallTime now) {
  return {.index = index,
          .attempts_before = attempts_before,
          .changes_before = changes_before,
          .state = mail::RecipientState::Delivered,
          .end = mail::End::Delivered,
          .attempts = {{.at = now, .host = {}, .address = {}, .tls = {}, .text = "not yet"}}};
}

}  // namespace relay::controls
