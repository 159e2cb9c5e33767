// vectors/smtp/address-syntax.json: addresses with isemail's diagnosis. We take what RFC 5321 calls
// a Mailbox and, by choice, a little more; each choice has its clause here. No case is known by
// name: what is expected follows from its diagnosis and its octets.
#include <map>
#include <regex>

#include <arpa/inet.h>

#include "relay/mail/address.hpp"
#include "tests/vectors.hpp"

namespace relay::mail {
namespace {

struct Choice {
  const char* clause;
  bool (*applies)(const std::string&);
};

bool is(const std::string& text, const char* pattern) {
  return std::regex_match(text, std::regex(pattern));
}

std::string local_part(const std::string& address) { return address.substr(0, address.rfind('@')); }

std::string domain(const std::string& address) {
  const auto at = address.rfind('@');
  return at == std::string::npos ? std::string() : address.substr(at + 1);
}

std::string without_route(const std::string& address) {
  static const std::regex kRoute(R"(@[\w.-]+(,@[\w.-]+)*:(.*))");
  std::smatch match;
  return std::regex_match(address, match, kRoute) ? match[2].str() : address;
}

std::string without_root(const std::string& name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

bool is_quoted(const std::string& local) {
  return is(local, R"("([ !#-\[\]-~\x80-\xff]|\\[ -~])*")");
}

/// RFC 5321 §4.1.2 and §4.1.3, with the limits of §4.5.3.1; one label and one group more or less do
/// not matter.
bool is_domain(const std::string& name) {
  if (name.size() > 255) return false;
  if (name.starts_with('[') && name.ends_with(']')) {
    const bool v6 = name.starts_with("[IPv6:");
    const std::string inner = name.substr(v6 ? 6 : 1, name.size() - (v6 ? 7 : 2));
    in6_addr octets;
    return inet_pton(v6 ? AF_INET6 : AF_INET, inner.c_str(), &octets) == 1;
  }
  static constexpr auto kLabels =
      R"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)";
  return is(name, kLabels);
}

bool is_short_local_part(const std::string& local) {
  static constexpr auto kDotString = R"([\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*)";
  const bool ascii = std::ranges::all_of(local, [](unsigned char c) { return c < 0x80; });
  return local.size() <= 64 && ascii && (is(local, kDotString) || is_quoted(local));
}

bool is_mailbox(const std::string& address) {
  return address.size() <= 254 && is_short_local_part(local_part(address)) &&
         is_domain(domain(address));
}

/// `address` with all that we take by choice put right: of one that has nothing else wrong, this is
/// a Mailbox.
std::string put_right(const std::string& address) {
  const std::string plain = without_route(address);
  std::string local = local_part(plain);
  std::string name = without_root(domain(plain));
  if (plain.size() > 254 || plain.find('@') == std::string::npos) return address;
  if (is(local, R"([\w!#$%&'*+/=?^`{|}~.\x80-\xff-]+)") || is_quoted(local)) local = "a";
  if (!name.starts_with('[')) {
    std::ranges::replace(name, '_', 'a');
    name = std::regex_replace(name, std::regex(R"([\x80-\xff]+)"), "a");
  }
  return local + '@' + name;
}

const std::vector<Choice> kTaken = {
    {"RFC 5321 §4.5.3.1: the limit of 64 octets is one to reach, not to keep; a path has 256",
     [](const std::string& a) { return local_part(without_route(a)).size() > 64; }},
    {"RFC 5321 §4.1.2 has no such dots in a Dot-string; they are given out, and sent on in quotes",
     [](const std::string& a) {
       return is(local_part(without_route(a)), R"(\..*|.*\.|.*\.\..*)");
     }},
    {"RFC 1034 §3.1: a dot behind the last label names the root, so the same domain",
     [](const std::string& a) { return a.ends_with('.'); }},
    {"RFC 5321 §3.3, Appendix C: a source route must be taken and may be ignored",
     [](const std::string& a) { return without_route(a) != a; }},
    {"RFC 2181 §11: an underscore in a domain occurs, and the DNS does not mind",
     [](const std::string& a) { return domain(a).find('_') != std::string::npos; }},
    {"RFC 6531 §3.3: local parts and domains in UTF-8",
     [](const std::string& a) {
       return std::ranges::any_of(a, [](unsigned char c) { return c >= 0x80; });
     }},
};

/// Valid by RFC 5321; whether such a domain exists is not a matter of syntax. Everything only
/// RFC 5322 allows (comments, folding, obsolete forms) is refused.
bool is_valid(const std::string& category, const std::string& diagnosis) {
  // RFC 5321 §4.1.3 lets "::" stand for two groups or more; RFC 4291 §2.2 for one, too. All the
  // world writes it, and it names one address only.
  return category == "ISEMAIL_VALID_CATEGORY" || category == "ISEMAIL_DNSWARN" ||
         category == "ISEMAIL_RFC5321" || diagnosis == "ISEMAIL_DEPREC_IPV6DEPRECATED" ||
         diagnosis == "ISEMAIL_RFC5321_IPV6DEPRECATED";
}

/// The clause by which an address is taken that is no Mailbox, or nullptr.
const char* taken_by_choice(const std::string& address) {
  if (is_mailbox(address) || !is_mailbox(put_right(address))) return nullptr;
  for (const Choice& choice : kTaken) {
    if (choice.applies(address)) return choice.clause;
  }
  return nullptr;
}

/// Grammar has it (RFC 5321 §4.1.2, QcontentSMTP may be absent), and it names nobody.
bool names_nobody(const std::string& address) { return address.starts_with("\"\"@"); }

TEST(AddressVectors, AgreeWithTheGrammarOfRfc5321) {
  if (vectors::missing("smtp/address-syntax.json")) return;
  const auto document = vectors::read(vectors::part("smtp/address-syntax.json"));
  std::size_t cases = 0;
  std::map<std::string, int> chosen;
  for (const boost::json::value& entry : document.at("cases").as_array()) {
    const std::string address(entry.at("address").as_string());
    const std::string diagnosis(entry.at("diagnosis").as_string());
    const bool valid = is_valid(std::string(entry.at("category").as_string()), diagnosis);
    const char* clause = valid ? nullptr : taken_by_choice(address);
    const auto mailbox = Mailbox::parse(address);
    EXPECT_EQ(mailbox.has_value(), (valid && !names_nobody(address)) || clause != nullptr)
        << entry.at("name").as_string() << "  " << address << "  " << diagnosis;
    ++cases;
    if (clause != nullptr) ++chosen[clause];
    if (!mailbox) continue;
    const auto again = Mailbox::parse(mailbox->to_string());
    ASSERT_TRUE(again) << mailbox->to_string();
    EXPECT_EQ(*again, *mailbox);
  }
  if (vectors::none(cases, "addresses")) return;
  std::printf("%zu addresses\n", cases);
  for (const auto& [clause, count] : chosen)
    std::printf("  %d by choice: %s\n", count, clause.c_str());
}

/// The clauses by themselves, for folders that have no case of them.
TEST(AddressVectors, EveryChoiceIsTakenAndJudgedSo) {
  const std::string longest(238, 'a');
  const std::vector<std::string> taken = {
      std::string(65, 'a') + "@iana.org",
      longest + "@fifteen.example",
      "a..b@iana.org",
      "a.@iana.org",
      ".a@iana.org",
      "a@iana.org.",
      "@a.example,@b.example:a@iana.org",
      "a@under_score.iana.org",
      "\xc3\xa4@iana.org",
      "a@\xc3\xa4.example",
  };
  const std::vector<std::string> refused = {
      longest + "a@fifteen.example",
      "a@" + std::string(64, 'a') + ".org",
      "a@iana..org",
      "a@.iana.org",
      "a@iana.org..",
      "a@-iana.org",
      "@a.example:",
      "@a.example,a@iana.org",
      "a b@iana.org",
      "(c)a@iana.org",
      "\"a@iana.org",
      "a@b@iana.org",
      "a@[1.2.3]",
  };
  for (const std::string& address : taken) {
    EXPECT_NE(taken_by_choice(address), nullptr) << address;
    EXPECT_TRUE(Mailbox::parse(address)) << address;
  }
  for (const std::string& address : refused) {
    EXPECT_EQ(taken_by_choice(address), nullptr) << address;
    EXPECT_FALSE(Mailbox::parse(address)) << address;
  }
  EXPECT_FALSE(Mailbox::parse("\"\"@iana.org"));
}

}  // namespace
}  // namespace relay::mail
