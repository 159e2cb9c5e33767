// vectors/smtp/end-of-data.json: what public smuggling scanners send. Only <CRLF>.<CRLF> ends the
// data (RFC 5321 §4.1.1.4); whether a sequence holds one is said by its ends_data.
#include "relay/smtp/data_reader.hpp"
#include "tests/vectors.hpp"

namespace relay::smtp {
namespace {

bool ends_within(const std::string& octets) {
  DataReader reader({});
  reader.feed(octets, [](std::string_view) {});
  return reader.finished();
}

TEST(EndOfDataVectors, AgreeWithTheReader) {
  if (vectors::missing("smtp/end-of-data.json")) return;
  const auto document = vectors::read(vectors::part("smtp/end-of-data.json"));
  std::size_t cases = 0;
  for (const boost::json::value& entry : document.at("cases").as_array()) {
    const std::string sequence(entry.at("sequence").as_string());
    const bool ends = entry.at("ends_data").as_bool();
    EXPECT_EQ(ends_within("Subject: x\r\n\r\nbody" + sequence + "MAIL FROM:<x@y.example>\r\n"),
              ends)
        << entry.at("name").as_string();
    ++cases;
  }
  if (vectors::none(cases, "sequences")) return;
  std::printf("%zu sequences\n", cases);
}

}  // namespace
}  // namespace relay::smtp
