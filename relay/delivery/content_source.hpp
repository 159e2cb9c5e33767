// The content of a stored message, chunk by chunk: from memory while it is fresh, else from the
// queue. At most one chunk is held, whatever the size of the message.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

class ContentSource {
 public:
  /// `memory` null: read from the spool.
  ContentSource(ports::DeliveryQueue& queue, mail::MessageId id, std::uint64_t size,
                std::shared_ptr<const std::string> memory)
      : queue_(queue), id_(id), size_(size), memory_(std::move(memory)) {}

  /// Loads the first chunk; front() holds it from then on.
  base::Task<std::expected<void, ports::SpoolError>> open();

  /// The first chunk: the whole header is in it (the intake bounds it).
  const std::string& front() const { return *memory_; }

  /// Chunk `sequence`; "" behind the last. Corrupt when the stored octets are not as many as were
  /// accepted.
  base::Task<std::expected<std::string, ports::SpoolError>> chunk(std::uint32_t sequence);

  /// Everything is in front().
  bool whole() const { return memory_ && memory_->size() == size_; }

 private:
  ports::DeliveryQueue& queue_;
  mail::MessageId id_;
  std::uint64_t size_;
  std::shared_ptr<const std::string> memory_;
};

}  // namespace relay::delivery
