#include "relay/delivery/content_source.hpp"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/support/run_task.hpp"

namespace relay::delivery {
namespace {

constexpr std::size_t kChunk = ports::kChunkOctets;
const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

/// Stores `content` as the server does: full chunks first, the rest with the message.
mail::MessageId store(ports::IntakeQueue& queue, const std::string& content, std::uint64_t size) {
  ports::NewMessage made;
  made.message.id = mail::MessageId::generate(kNow);
  made.message.size = size;
  made.content_sha256.resize(32);
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(),
         reinterpret_cast<unsigned char*>(made.content_sha256.data()));
  std::size_t at = 0;
  std::uint32_t sequence = 0;
  for (; at + kChunk < content.size(); at += kChunk) {
    EXPECT_TRUE(
        support::run_task(queue.append(made.message.id, sequence++, content.substr(at, kChunk))));
  }
  made.content = content.substr(at);
  const auto id = made.message.id;
  EXPECT_TRUE(support::run_task(queue.commit(std::move(made))));
  return id;
}

/// As the SMTP client reads it.
std::string all_of(ContentSource& source) {
  EXPECT_TRUE(support::run_task(source.open()));
  std::string all = source.front();
  for (std::uint32_t sequence = 1; !source.whole(); ++sequence) {
    const auto chunk = support::run_task(source.chunk(sequence));
    EXPECT_TRUE(chunk);
    if (!chunk || chunk->empty()) break;
    EXPECT_LE(chunk->size(), kChunk);
    all += *chunk;
  }
  return all;
}

TEST(ContentSource, GivesWhatWasStoredChunkByChunk) {
  for (const std::size_t size : {1UL, 1000UL, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk + 7}) {
    fakes::FakeClock clock;
    fakes::MemorySpool spool(clock);
    std::string content;
    for (std::size_t i = 0; i < size; ++i) content += static_cast<char>('a' + i % 23);
    const auto id = store(spool.intake(), content, size);
    ContentSource source(spool.delivery(), id, size, nullptr);
    EXPECT_EQ(all_of(source), content) << size;
    EXPECT_EQ(source.whole(), size <= kChunk) << size;
  }
}

TEST(ContentSource, ReadsNothingWhenItIsInMemory) {
  fakes::FakeClock clock;
  fakes::MemorySpool empty(clock);
  const auto content = std::make_shared<const std::string>("Subject: x\r\n\r\nbody");
  ContentSource source(empty.delivery(), mail::MessageId::generate(kNow), content->size(), content);
  EXPECT_EQ(all_of(source), *content);
  EXPECT_TRUE(source.whole());
}

/// Fewer octets than were accepted are never sent.
TEST(ContentSource, NoticesThatSomethingIsMissing) {
  fakes::FakeClock clock;
  fakes::MemorySpool spool(clock);
  const std::string content(kChunk + 10, 'x');
  const auto id = store(spool.intake(), content, content.size());
  ContentSource source(spool.delivery(), id, content.size() + kChunk, nullptr);
  ASSERT_TRUE(support::run_task(source.open()));
  bool noticed = false;
  for (std::uint32_t sequence = 1; sequence < 4 && !noticed; ++sequence) {
    const auto chunk = support::run_task(source.chunk(sequence));
    noticed = !chunk && chunk.error() == ports::SpoolError::Corrupt;
  }
  EXPECT_TRUE(noticed);
}

}  // namespace
}  // namespace relay::delivery
