#include "relay/inbound/intake.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/base/sha256.hpp"
#include "relay/mail/header.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

FairShare::Holding part_of(FairShare& memory) {
  constexpr std::uint64_t kAll = 2ULL << 20;
  return memory.open(base::origin_of("192.0.2.7"), {.total = kAll, .per_network = kAll});
}

struct Result {
  std::string header;
  std::string body_hash;
  std::string content_hash;
  std::string content;
};

Result take(const std::vector<std::string>& pieces, const std::string& authserv_id = "") {
  RecordingQueue queue;
  fakes::FakeClock clock;
  FairShare memory(clock);
  Intake intake(queue, part_of(memory), {}, nullptr, {authserv_id});
  for (const std::string& piece : pieces) intake.take(piece);
  intake.end();
  EXPECT_FALSE(intake.fault().has_value());
  const ContentReader& reader = intake.reader();
  Result result{reader.header()->block(), reader.body_hash(), intake.content_sha256(), {}};
  result.content = intake.release_rest();
  EXPECT_EQ(intake.size(), result.content.size());
  base::Sha256 again;
  again.update(result.content);
  EXPECT_EQ(again.finish(), result.content_hash);
  return result;
}

struct HeaderCase {
  const char* name;
  std::string content;
  std::string header;
};

class IntakeHeader : public testing::TestWithParam<HeaderCase> {};

// The header ends at the same octet, and the body hash is the same, for every division.
TEST_P(IntakeHeader, IsFoundForEveryDivision) {
  const std::string& content = GetParam().content;
  const Result whole = take({content});
  EXPECT_EQ(whole.header, GetParam().header);
  for (std::size_t cut = 1; cut < content.size(); ++cut) {
    // The reader never cuts inside CRLF.
    if (content[cut - 1] == '\r') continue;
    const Result parts = take({content.substr(0, cut), content.substr(cut)});
    ASSERT_EQ(parts.header, whole.header) << cut;
    ASSERT_EQ(parts.body_hash, whole.body_hash) << cut;
    ASSERT_EQ(parts.content_hash, whole.content_hash) << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Contents, IntakeHeader,
    testing::Values(HeaderCase{"Plain", "A: b\r\nC: d\r\n\r\nbody\r\n", "A: b\r\nC: d\r\n"},
                    HeaderCase{"NoBody", "A: b\r\n\r\n", "A: b\r\n"},
                    HeaderCase{"NoEmptyLine", "A: b\r\nC: d\r\n", "A: b\r\nC: d\r\n"},
                    HeaderCase{"NoFields", "\r\nbody\r\n\r\nmore\r\n", ""},
                    HeaderCase{"EmptyLines", "A: b\r\n\r\n\r\n\r\nbody\r\n", "A: b\r\n"},
                    HeaderCase{"Empty", "", ""}),
    [](const auto& info) { return std::string(info.param.name); });

// Only fields in our name go, nothing else changes, whatever the division.
TEST(Intake, TakesForgedResultsAway) {
  const std::string forged = "Authentication-Results: mx.example.org;\r\n\tdmarc=pass\r\n";
  const std::string before = "A: b\r\n";
  const std::string after =
      "Authentication-Results: other.example; spf=pass\r\nC: d\r\n\r\nbody\r\n";
  const std::string content = before + forged + after;
  for (std::size_t cut = 1; cut < content.size(); ++cut) {
    if (content[cut - 1] == '\r') continue;
    const Result kept = take({content.substr(0, cut), content.substr(cut)}, "mx.example.org");
    ASSERT_EQ(kept.content, before + after) << cut;
    ASSERT_EQ(kept.body_hash, take({before + after}).body_hash) << cut;
  }
  EXPECT_EQ(take({content}).content, content) << "who does not verify has no such fields";
}

/// The largest header ends with its empty line where the first chunk does; until it has ended the
/// queue gets nothing, for it may still be changed.
TEST(Intake, TakesTheLargestHeaderBeforeTheFirstChunk) {
  const std::string end = "\r\n\r\n";
  const std::string forged = "Authentication-Results: mx.example.org; dmarc=pass\r\n";
  for (const bool fits : {true, false}) {
    RecordingQueue queue;
    fakes::FakeClock clock;
    FairShare memory(clock);
    Intake intake(queue, part_of(memory), {}, nullptr, {"mx.example.org"});
    std::string content = forged + "X: ";
    const std::size_t octets = mail::kMaxHeaderOctets + (fits ? 0 : 1) - end.size();
    content += std::string(octets - content.size(), 'x') + end + "body\r\n";
    for (std::size_t at = 0; at < content.size(); at += 1000) {
      EXPECT_FALSE(intake.chunk_ready()) << at;
      intake.take(std::string_view(content).substr(at, 1000));
    }
    intake.end();
    ASSERT_EQ(intake.fault().has_value(), !fits);
    if (!fits) {
      EXPECT_EQ(intake.fault()->code(), 552);
      continue;
    }
    EXPECT_EQ(intake.reader().header()->block().size(), mail::kMaxHeaderOctets - 2 - forged.size());
    const std::string kept = intake.release_rest();
    EXPECT_EQ(kept, content.substr(forged.size()));
    base::Sha256 digest;
    digest.update(kept);
    EXPECT_EQ(intake.content_sha256(), digest.finish());
  }
}

TEST(Intake, HoldsNoMoreThanOneHeaderAndOneChunk) {
  RecordingQueue queue;
  fakes::FakeClock clock;
  FairShare memory(clock);
  {
    Intake intake(queue, part_of(memory), {}, nullptr, {});
    const std::string piece(16 * 1024, 'h');
    for (int i = 0; i < 100 && !intake.fault(); ++i) intake.take(piece);
    ASSERT_TRUE(intake.fault().has_value());
    EXPECT_EQ(intake.fault()->code(), 552);
    EXPECT_LE(intake.size(), mail::kMaxHeaderOctets + 2 * piece.size());
    EXPECT_LE(memory.held(), mail::kMaxHeaderOctets + 2 * piece.size())
        << "the content is given back with the fault";
  }
  EXPECT_EQ(memory.held(), 0U);
}

/// The memory of a stored chunk is free for others at once.
TEST(Intake, GivesBackWhatAStoredChunkNoLongerNeeds) {
  RecordingQueue queue;
  fakes::FakeClock clock;
  FairShare memory(clock);
  Intake intake(queue, part_of(memory), {}, nullptr, {});
  intake.take("A: b\r\n\r\n");
  const std::string piece(16 * 1024, 'x');
  while (!intake.chunk_ready()) intake.take(piece);
  boost::asio::io_context io;
  std::uint64_t while_stored = 0;
  queue.on_append = [&] { while_stored = memory.held(); };
  base::spawn_supervised(io.get_executor(), "store", intake.store_chunk());
  io.poll();
  EXPECT_GE(while_stored, 2 * ports::kChunkOctets);
  EXPECT_LE(memory.held(), ports::kChunkOctets + 2 * piece.size());
}

}  // namespace
}  // namespace relay::inbound
