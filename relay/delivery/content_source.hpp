// The content of a stored message by chunks: from memory for a small fresh message, else from the
// queue. Holds only the first chunk, whatever the size of the message.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "relay/base/task.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {
class DeliveryQueue;
}

namespace relay::delivery {

class ContentSource {
 public:
  /// `memory` null: read from the queue.
  ContentSource(ports::DeliveryQueue& queue, mail::MessageId id, std::uint64_t size,
                std::shared_ptr<const std::string> memory)
      : queue_(queue), id_(id), size_(size), memory_(std::move(memory)) {}

  /// Loads the first chunk, which front() then returns.
  base::Task<std::expected<void, ports::SpoolError>> open();

  /// The first chunk. It contains the whole header, which the intake bounds.
  const std::string& front() const { return *memory_; }

  /// Chunk `sequence`; "" after the last. Corrupt if its size is not what was accepted.
  base::Task<std::expected<std::string, ports::SpoolError>> chunk(std::uint32_t sequence);

  /// All of the content is in front().
  bool whole() const { return memory_ && memory_->size() == size_; }

 private:
  ports::DeliveryQueue& queue_;
  mail::MessageId id_;
  std::uint64_t size_;
  std::shared_ptr<const std::string> memory_;
};

}  // namespace relay::delivery
