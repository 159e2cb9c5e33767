// vectors/smtp/address-syntax.json: isemail's addresses. We take what RFC 5321 calls a Mailbox.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "relay/mail/address.hpp"
#include "tests/source_dir.hpp"

namespace relay::mail {
namespace {

std::filesystem::path vectors() {
  const char* named = std::getenv("VECTORS");
  return named != nullptr ? std::filesystem::path(named)
                          : std::filesystem::path(RELAY_SOURCE_DIR) / "../shared/vectors";
}

/// Valid by RFC 5321; whether such a domain exists is not a matter of syntax. Everything only
/// RFC 5322 allows (comments, folding, obsolete forms) is refused.
bool valid_in_smtp(const std::string& category) {
  return category == "ISEMAIL_VALID_CATEGORY" || category == "ISEMAIL_DNSWARN" ||
         category == "ISEMAIL_RFC5321";
}

TEST(AddressVectors, AgreeWithTheGrammarOfRfc5321) {
  const auto file = vectors() / "smtp/address-syntax.json";
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
    const std::string address(entry.at("address").as_string());
    const std::string category(entry.at("category").as_string());
    const std::string diagnosis(entry.at("diagnosis").as_string());
    // RFC 5321 §4.1.3 lets "::" stand for two groups or more; RFC 4291 §2.2 for one, too. All the
    // world writes it, and it names one address only.
    const bool one_group = diagnosis == "ISEMAIL_DEPREC_IPV6DEPRECATED" ||
                           diagnosis == "ISEMAIL_RFC5321_IPV6DEPRECATED";
    const auto mailbox = Mailbox::parse(address);
    EXPECT_EQ(mailbox.has_value(), valid_in_smtp(category) || one_group)
        << entry.at("name").as_string() << "  " << address << "  " << diagnosis;
    ++cases;
    if (!mailbox) continue;
    const auto again = Mailbox::parse(mailbox->to_string());
    ASSERT_TRUE(again) << mailbox->to_string();
    EXPECT_EQ(*again, *mailbox);
  }
  EXPECT_GT(cases, 0U);
  std::printf("%zu addresses\n", cases);
}

}  // namespace
}  // namespace relay::mail
