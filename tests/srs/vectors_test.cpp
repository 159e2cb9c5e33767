// Replays the answers of other SRS implementations. Reads every file of $VECTORS/srs, whatever its
// name, and uses no names of cases.
#include "tests/vectors.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "srs/srs.hpp"

namespace srs {
namespace {

namespace json = boost::json;

const std::set<std::string> kFamily = {"Mail::SRS", "pysrs", "libsrs2", "postsrsd"};

struct Case {
  json::object question;
  std::set<std::string> answers;  ///< of all tools, "ERROR" for an error
};

std::string text(const json::object& o, const char* key, const char* otherwise = "") {
  const json::value* value = o.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : otherwise;
}

std::size_t number(const json::object& o, const char* key, std::size_t otherwise) {
  const json::value* value = o.if_contains(key);
  return value && value->is_number() ? value->to_number<std::size_t>() : otherwise;
}

bool is_family(const std::string& tool) {
  for (const auto& name : kFamily) {
    if (tool.starts_with(name)) return true;
  }
  return false;
}

Rewriter rewriter_for(const json::object& q) {
  std::vector<Key> keys = {{"first", text(q, "secret"), std::nullopt}};
  if (const json::value* extra = q.if_contains("extra_secrets")) {
    for (const auto& secret : extra->as_array()) {
      keys.push_back({"extra" + std::to_string(keys.size()), std::string(secret.as_string()), {}});
    }
  }
  Options options;
  options.format = Format::Classic;
  options.separator = text(q, "separator", "=").front();
  options.classic_hash_length = number(q, "hash_length", 4);
  options.classic_hash_min = number(q, "hash_min", options.classic_hash_length);
  options.max_age_days = static_cast<int>(number(q, "max_age_days", 21));
  options.always_rewrite = q.if_contains("always_rewrite") && q.at("always_rewrite").as_bool();
  options.unwrap_own = false;  // the tools undo one step at a time
  return {KeyRing::unchecked(std::move(keys)), text(q, "alias_domain"), options};
}

std::string ours(const json::object& q) {
  const Rewriter rewriter = rewriter_for(q);
  const std::string input = text(q, "input");
  const auto now = q.at("now_unix").to_number<std::int64_t>();
  const auto address = parse_address(input);
  if (text(q, "op") == "forward") {
    if (!address) return "ERROR";
    const auto made = rewriter.forward(*address, now);
    if (!made) return made.error() == ForwardError::OwnAddress ? input : "ERROR";
    return to_string(*made);
  }
  const auto back =
      address ? rewriter.reverse(*address, now)
              : std::expected<Reversed, ReverseError>(std::unexpected(ReverseError::Malformed));
  return back ? to_string(back->address) : "ERROR";
}

std::string unquoted(const std::string& address) {
  const auto read = parse_address(address);
  return read ? read->local_part + '@' + read->domain : address;
}

bool too_long(const std::string& address) {
  return address.size() > kMaxAddress || address.rfind('@') > kMaxLocalPart;
}

std::string lower(std::string all) {
  std::ranges::transform(all, all.begin(), [](unsigned char c) { return std::tolower(c); });
  return all;
}

std::string local_part_of(const std::string& address) {
  return address.substr(0, std::min(address.rfind('@'), address.size()));
}

std::string domain_of(const std::string& address) {
  const auto at = address.rfind('@');
  return at == std::string::npos ? std::string() : address.substr(at + 1);
}

/// Names somebody whom a bounce can be sent to: nobody of a dotless domain, and no SRS address that
/// has lost its separator.
bool leads_somewhere(const std::string& address) {
  const std::string local = lower(local_part_of(address));
  const bool torn = (local.starts_with("srs0") || local.starts_with("srs1")) &&
                    (local.size() < 5 || !std::string_view("=+-").contains(local[4]));
  return !local.empty() && domain_of(address).contains('.') && !torn;
}

/// What the whole family does and a mail server must not: to send under an address that is too long
/// for one, to make one from half an address, to reverse an address that is not its own, and to
/// reverse it to where nobody is. There we answer "ERROR".
bool must_be_safer(const json::object& q, const std::string& theirs) {
  const std::string input = text(q, "input");
  if (text(q, "op") == "forward") {
    return (theirs != "ERROR" && too_long(theirs)) || local_part_of(input).empty() ||
           domain_of(input).empty();
  }
  if (lower(domain_of(input)) != lower(text(q, "alias_domain"))) return true;
  return theirs != "ERROR" && !leads_somewhere(theirs);
}

std::optional<Scheme> foreign_scheme(const std::string& tool) {
  if (tool.starts_with("Exim") || tool.starts_with("exim")) return Scheme::Exim;
  if (tool.find("srs.js") != std::string::npos) return Scheme::SrsJs;
  if (tool.find("sender-rewriting-scheme") != std::string::npos) {
    return Scheme::SenderRewritingScheme;
  }
  return std::nullopt;
}

/// Every question of one file kind, with the tool's answer or "ERROR".
template <class Take>
void each_vector(Take take) {
  for (const auto& entry : std::filesystem::directory_iterator(vectors::part("srs"))) {
    if (entry.path().extension() != ".json") continue;
    const json::value parsed = vectors::read(entry.path());
    for (const auto& value : parsed.as_array()) {
      const json::object& q = value.as_object();
      take(q, q.contains("expect") ? text(q, "expect") : std::string("ERROR"));
    }
  }
}

std::map<std::string, Case> family_cases() {
  std::map<std::string, Case> cases;
  each_vector([&](const json::object& q, const std::string& answer) {
    if (!is_family(text(q, "tool"))) return;
    Case& c = cases[text(q, "case")];
    c.question = q;
    c.answers.insert(answer);
  });
  return cases;
}

class SrsVectors : public testing::Test {
 protected:
  void SetUp() override { vectors::missing("srs"); }
};

TEST_F(SrsVectors, ClassicFormatAgreesWhereverTheFamilyAgrees) {
  std::size_t agreed = 0;
  for (const auto& [name, c] : family_cases()) {
    if (c.answers.size() != 1 || must_be_safer(c.question, *c.answers.begin())) continue;
    ++agreed;
    // Compared as addresses: ours is quoted where RFC 5321 demands it, theirs is not.
    EXPECT_EQ(unquoted(ours(c.question)), unquoted(*c.answers.begin()))
        << name << "  " << text(c.question, "input");
  }
  if (vectors::none(agreed, "cases on which the family of Mail::SRS agrees")) return;
  std::printf("%zu cases on which the family agrees\n", agreed);
}

TEST_F(SrsVectors, DangerousAnswersOfTheFamilyAreNotOurs) {
  std::size_t dangerous = 0;
  for (const auto& [name, c] : family_cases()) {
    const std::string answer = ours(c.question);
    if (answer != "ERROR") {
      EXPECT_TRUE(!too_long(answer) && leads_somewhere(answer)) << name << ": " << answer;
    }
    for (const std::string& theirs : c.answers) {
      // Where they differ, only some are too long.
      const bool is_ours_too = c.answers.size() == 1 || !too_long(theirs);
      if (!is_ours_too || !must_be_safer(c.question, theirs)) continue;
      EXPECT_EQ(answer, "ERROR") << name << "  " << text(c.question, "input");
      ++dangerous;
    }
  }
  if (vectors::none(dangerous, "dangerous answers")) return;
  std::printf("%zu dangerous answers that are not ours\n", dangerous);
}

/// In strong format a hash of the classic family means nothing unless its key says so, and
/// boundary and SRS0/SRS1 confusion are refused always.
TEST_F(SrsVectors, StrongFormatRefusesEveryAddressOfTheFamily) {
  for (const auto& [name, c] : family_cases()) {
    if (text(c.question, "op") != "reverse") continue;
    const auto address = parse_address(text(c.question, "input"));
    if (!address) continue;
    const Rewriter strong(KeyRing::unchecked({{"k", text(c.question, "secret"), {}}}),
                          text(c.question, "alias_domain"));
    EXPECT_FALSE(strong.reverse(*address, c.question.at("now_unix").to_number<std::int64_t>()))
        << name;
  }
}

/// Who is asked for what, but for the case and the separator behind the tag. Exim's hash does not
/// cover the stamp, so of its addresses the stamp is left out.
std::string asked_for(const json::object& q) {
  std::string address = lower(text(q, "input"));
  if (address.starts_with("srs") && address.size() > 4) address[4] = '=';
  const auto tag_end = address.find('=', 5);
  if (foreign_scheme(text(q, "tool")) == Scheme::Exim && tag_end != std::string::npos) {
    address.erase(tag_end + 1, address.find('=', tag_end + 1) - tag_end - 1);
  }
  return text(q, "tool") + ' ' + text(q, "secret") + ' ' + address;
}

/// Its stamp, read in either case, is of a day within max_age_days. The npm programs count a day
/// that has begun as a whole one.
bool is_fresh(const json::object& q) {
  const std::string input = lower(text(q, "input"));
  const auto tag_end = std::min(input.find('=', 5), input.size());
  int day = 0;
  for (const char c : input.substr(tag_end, 3).substr(std::min<std::size_t>(1, tag_end))) {
    const auto digit = std::string_view("abcdefghijklmnopqrstuvwxyz234567").find(c);
    if (digit == std::string_view::npos) return false;
    day = day * 32 + static_cast<int>(digit);
  }
  const bool is_exim = foreign_scheme(text(q, "tool")) == Scheme::Exim;
  const auto today = q.at("now_unix").to_number<std::int64_t>() / 86400 + (is_exim ? 0 : 1);
  return (today - day) % 1024 <= static_cast<std::int64_t>(number(q, "max_age_days", 21));
}

/// What the tools recover at some time or other.
class Recovered {
 public:
  Recovered() {
    each_vector([&](const json::object& q, const std::string& theirs) {
      if (text(q, "op") != "reverse" || theirs == "ERROR") return;
      folded_.insert(asked_for(q));
      exact_.insert(text(q, "tool") + text(q, "secret") + text(q, "input"));
    });
  }

  /// Refused for nothing but its spelling: we may take it. One that is recovered in this very
  /// spelling is refused for its age.
  bool in_another_spelling(const json::object& q) const {
    return !exact_.contains(text(q, "tool") + text(q, "secret") + text(q, "input")) &&
           folded_.contains(asked_for(q)) && is_fresh(q);
  }

 private:
  std::set<std::string> folded_;
  std::set<std::string> exact_;
};

/// Where the tool recovers an address, so do we, in the spelling it was sent in; where it refuses,
/// so do we, but for what only differs in case or in the separator behind the tag.
TEST_F(SrsVectors, ForeignKeysRecoverWhatTheirProgramsMade) {
  const Recovered known;
  std::size_t recovered = 0;
  std::size_t refused = 0;
  each_vector([&](const json::object& q, const std::string& theirs) {
    const auto scheme = foreign_scheme(text(q, "tool"));
    if (!scheme || text(q, "op") != "reverse") return;
    const std::string input = text(q, "input");
    const std::string name = text(q, "case") + "  " + input;
    const auto now = q.at("now_unix").to_number<std::int64_t>();
    Options options;
    options.max_age_days = static_cast<int>(number(q, "max_age_days", 21));
    options.unwrap_own = false;
    const Key native{"ours", "0123456789 not that of the other one", {}, Scheme::Native};
    const Key foreign{"theirs", text(q, "secret"), now + 1, *scheme};
    const Rewriter rewriter(KeyRing::unchecked({native, foreign}), text(q, "alias_domain"),
                            options);
    const auto address = parse_address(input);
    const auto back =
        address ? rewriter.reverse(*address, now)
                : std::expected<Reversed, ReverseError>(std::unexpected(ReverseError::Malformed));
    const bool unanchored = !std::string_view("=+-").contains(input.substr(4, 1));
    const bool refuses =
        theirs == "ERROR" || !leads_somewhere(theirs) || unanchored || text(q, "secret").empty();
    if (refuses) {
      if (!known.in_another_spelling(q)) EXPECT_FALSE(back) << name;
      ++refused;
      return;
    }
    ASSERT_TRUE(back) << name;
    EXPECT_EQ(lower(to_string(back->address)), lower(theirs)) << name;
    EXPECT_TRUE(back->weak) << name;
    ++recovered;
    const Rewriter over(
        KeyRing::unchecked({native, {"theirs", text(q, "secret"), now - 1, *scheme}}),
        text(q, "alias_domain"), options);
    EXPECT_FALSE(over.reverse(*address, now)) << name << ": after the end date";
  });
  if (vectors::none(recovered + refused, "addresses of other schemes")) return;
  std::printf("%zu foreign addresses recovered, %zu refused\n", recovered, refused);
}

}  // namespace
}  // namespace srs
