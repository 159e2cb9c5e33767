#include "relay/delivery/content_source.hpp"

#include <algorithm>

#include "relay/ports/content_chunk.hpp"
#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

base::Task<std::expected<void, ports::SpoolError>> ContentSource::open() {
  std::expected<void, ports::SpoolError> ok;
  if (memory_) co_return ok;
  auto first = co_await queue_.read(id_, 0);
  if (!first) co_return std::unexpected(first.error());
  const auto expected = std::min<std::uint64_t>(size_, ports::kChunkOctets);
  if (first->size() != expected) co_return std::unexpected(ports::SpoolError::Corrupt);
  memory_ = std::make_shared<const std::string>(std::move(*first));
  co_return ok;
}

base::Task<std::expected<std::string, ports::SpoolError>> ContentSource::chunk(
    std::uint32_t sequence) {
  const std::uint64_t begin = std::uint64_t{sequence} * ports::kChunkOctets;
  const std::uint64_t left = begin < size_ ? size_ - begin : 0;
  const auto expected = std::min<std::uint64_t>(left, ports::kChunkOctets);
  if (expected == 0) co_return std::string();
  auto octets = co_await queue_.read(id_, sequence);
  if (octets && octets->size() != expected) co_return std::unexpected(ports::SpoolError::Corrupt);
  co_return octets;
}

}  // namespace relay::delivery
