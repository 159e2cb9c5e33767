// vectors/smtp/end-of-data.json: what public smuggling scanners send.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "relay/smtp/data_reader.hpp"
#include "tests/source_dir.hpp"

namespace relay::smtp {
namespace {

std::filesystem::path vectors() {
  const char* named = std::getenv("VECTORS");
  return named != nullptr ? std::filesystem::path(named)
                          : std::filesystem::path(RELAY_SOURCE_DIR) / "../shared/vectors";
}

bool ends_within(const std::string& octets) {
  DataReader reader({});
  reader.feed(octets, [](std::string_view) {});
  return reader.finished();
}

TEST(EndOfDataVectors, AgreeWithTheReader) {
  const auto file = vectors() / "smtp/end-of-data.json";
  if (!std::filesystem::exists(file)) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "no vectors at " << file;
    GTEST_SKIP() << "no vectors at " << file;
  }
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  const boost::json::value document = boost::json::parse(text.str());
  std::size_t cases = 0;
  for (const boost::json::value& entry : document.at("cases").as_array()) {
    const std::string sequence(entry.at("sequence").as_string());
    const bool ends = entry.at("ends_data").as_bool();
    EXPECT_EQ(ends_within("Subject: x\r\n\r\nbody" + sequence + "MAIL FROM:<x@y.example>\r\n"),
              ends)
        << entry.at("name").as_string();
    ++cases;
  }
  EXPECT_GE(cases, 13U);
}

}  // namespace
}  // namespace relay::smtp
