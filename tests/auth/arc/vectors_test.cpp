// vectors/arc/*.json: ValiMail's suite, and whatever else is written in its format. Validation by
// cv=, signing tag by tag, b= included.
#include "tests/vectors.hpp"

#include <map>

#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/arc/signed_hash.hpp"
#include "relay/auth/dkim/base64.hpp"
#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/dkim/tag_list.hpp"
#include "relay/auth/results/parser.hpp"
#include "relay/mail/header.hpp"
#include "tests/auth/arc/checked.hpp"

namespace relay::auth::arc {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// Where we answer otherwise than the case says: what must hold of it, and our answer.
struct Exception {
  const char* clause;
  bool (*applies)(std::string_view message, std::string_view expected);
  const char* cv;
};

bool says_nothing_of_canonicalisation(std::string_view message) {
  const auto fields =
      mail::readable_fields(message.substr(0, mail::header_length(message).value_or(0)));
  return std::ranges::any_of(
      mail::find_fields(fields, "ARC-Message-Signature"), [](const mail::HeaderField& field) {
        const auto tags = dkim::parse_tag_list(field.value);
        return tags && std::ranges::none_of(*tags, [](const auto& tag) { return tag.name == "c"; });
      });
}

const std::vector<Exception> kExceptions{
    {"RFC 6376 §3.5, which RFC 8617 §4.1.2 refers to: c= defaults to simple/simple; the case was "
     "signed relaxed/relaxed without saying so",
     [](std::string_view message, std::string_view expected) {
       return expected == "pass" && says_nothing_of_canonicalisation(message);
     },
     "fail"},
};

const Exception* exception_for(std::string_view message, std::string_view expected) {
  const auto found = std::ranges::find_if(
      kExceptions, [&](const Exception& one) { return one.applies(message, expected); });
  return found == kExceptions.end() ? nullptr : &*found;
}

std::string text_of(const json::value& test, std::string_view name) {
  const auto* value = test.as_object().if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

bool marked(const json::value& test, std::string_view mark) {
  const auto* value = test.as_object().if_contains(mark);
  return value != nullptr && value->is_bool() && value->as_bool();
}

/// Every test of every file in the folder.
std::vector<json::value> all_tests() {
  std::vector<json::value> tests;
  for (const auto& entry : fs::directory_iterator(vectors::part("arc"))) {
    if (entry.path().extension() != ".json") continue;
    const json::value document = vectors::read(entry.path());
    for (const json::value& test : document.at("tests").as_array()) tests.push_back(test);
  }
  return tests;
}

bool is_signing(const json::value& test) { return test.as_object().contains("expect"); }

std::string as_smtp(std::string_view text) {
  std::string message;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) message += '\r';
    message += text[i];
  }
  return message;
}

std::string zone_of(const json::value& test) {
  std::string zone;
  for (const auto& [name, record] : test.at("txt_records").as_object()) {
    std::string text(record.as_string());
    std::ranges::replace(text, '\n', ' ');
    zone += key_line(std::string_view(name), text);
  }
  return zone;
}

class ArcVectors : public testing::Test {
 protected:
  void SetUp() override { vectors::missing("arc"); }
};

TEST_F(ArcVectors, AreValidatedAsTheirAuthorsSay) {
  std::size_t cases = 0;
  std::size_t disputed = 0;
  std::size_t exceptions = 0;
  for (const json::value& test : all_tests()) {
    if (is_signing(test)) continue;
    const std::string name = text_of(test, "name");
    // No status at all is what one says of a chain that fails because it says so itself
    // (RFC 8617 §5.2 step 2: the status is "fail").
    std::string expected = text_of(test, "cv");
    if (expected.empty()) expected = "fail";
    const std::string message = as_smtp(text_of(test, "message"));
    const auto verdict = checked(message, zone_of(test));
    if (name_of(verdict.result) != expected) {
      if (const Exception* exception = exception_for(message, expected); exception != nullptr) {
        expected = exception->cv;
        ++exceptions;
      }
    }
    EXPECT_EQ(name_of(verdict.result), expected) << name << ": " << verdict.problem;
    EXPECT_EQ(verdict.problem.empty(), verdict.result != mail::ArcResult::Fail) << name;
    ++cases;
    disputed += marked(test, "disputed") ? 1 : 0;
  }
  if (vectors::none(cases, "chains to validate")) return;
  std::printf("%zu chains validated, %zu of them disputed, %zu exceptions\n", cases, disputed,
              exceptions);
}

std::map<std::string, std::string> tags_of(std::string_view value) {
  std::map<std::string, std::string> tags;
  for (const auto& tag : dkim::parse_tag_list(value).value()) {
    tags[std::string(tag.name)] = dkim::without_spaces(tag.value);
  }
  return tags;
}

std::map<std::string, std::string> tags_of(const json::value& expected) {
  std::map<std::string, std::string> tags;
  for (const auto& [name, value] : expected.as_object()) {
    tags[std::string(std::string_view(name))] = value.as_string();
  }
  return tags;
}

struct Signed {
  std::string results;
  std::string signature;
  std::string seal;
  std::string unfolded_seal;  ///< b= of a seal over fields whose b= is not folded
  std::string message;        ///< with the set on top
};

/// The results are the test's own: those of the message's field, or of several merged; what we
/// would write ourselves is not the question.
std::string results_of(const json::value& test) {
  const std::string expected = text_of(test.at("expect"), "arc_authentication_results");
  if (expected.empty()) return {};
  std::string text = as_smtp(expected.substr(expected.find(';') + 1));
  for (std::size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos; at += 3) {
    text.insert(at + 2, "\t");
  }
  while (!text.empty() && (text.back() == '\t' || text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  return text.substr(text.find_first_not_of(' '));
}

/// The verdict that the case has us continue with: arc= of the results under its authserv-id, fail
/// when there are several. nullopt: no results at all, and so nothing that could be sealed.
std::optional<mail::ArcResult> stated_chain(const std::vector<mail::HeaderField>& fields,
                                            const std::string& authserv_id) {
  std::vector<std::string> stated;
  bool any = false;
  for (const auto& field : mail::find_fields(fields, "Authentication-Results")) {
    const auto read = results::parse_results(field.value);
    if (!read || read->authserv_id != authserv_id) continue;
    any = true;
    for (const auto& result : read->results) {
      if (result.method == "arc") stated.push_back(result.result);
    }
  }
  if (!any) return std::nullopt;
  if (stated.empty()) return mail::ArcResult::None;
  if (stated.size() > 1) return mail::ArcResult::Fail;
  for (const auto result : {mail::ArcResult::None, mail::ArcResult::Pass, mail::ArcResult::Fail}) {
    if (stated.front() == name_of(result)) return result;
  }
  return mail::ArcResult::TempError;
}

std::string relaxed_body_hash(std::string_view body) {
  dkim::BodyHashes hashes;
  const auto wish = hashes.want(dkim::Canon::Relaxed);
  hashes.update(body);
  hashes.finish();
  return hashes.digest(wish);
}

/// A seal covers the line ends within b= of the signature below it. The cases have none there, we
/// fold: so this seals our set once more as they would have it. `made`: seal, signature, results.
std::string resealed(const std::vector<mail::HeaderField>& fields,
                     const std::vector<mail::HeaderField>& made, const dkim::PrivateKey& key) {
  std::string signature(made.at(1).raw);
  const std::size_t begin = signature.find("b=");
  const std::size_t end = signature.find(';', begin);
  signature.replace(begin, end - begin, dkim::without_spaces(signature.substr(begin, end - begin)));
  const auto sets = Chain::collect(fields).sets();
  const bool failed = status_of(made.at(0).value) == ChainStatus::Fail;
  return dkim::base64(
      key.sign_hash(signed_seal_hash(failed ? std::vector<ArcSet>() : sets, made.at(2),
                                     mail::readable_fields(signature).front(), made.at(0))));
}

Signed sealed(const json::value& test) {
  const std::string message = as_smtp(text_of(test, "message"));
  const std::size_t header = mail::header_length(message).value_or(message.size());
  const std::string_view all = message;
  const auto fields = mail::readable_fields(all.substr(0, header));
  const std::string body_hash = relaxed_body_hash(all.substr(std::min(header + 2, all.size())));
  const std::string results = results_of(test);
  const auto key = dkim::PrivateKey::parse(text_of(test, "privatekey"), 1024);
  EXPECT_TRUE(key.has_value()) << key.error();
  std::vector<std::string> names;
  for (const auto name : dkim::split_value(text_of(test, "sig_headers"), ':')) {
    names.emplace_back(name);
  }
  const SealingKey sealer{text_of(test, "domain"), text_of(test, "selector"), *key};
  const auto chain = stated_chain(fields, text_of(test, "authserv_id"));
  if (!chain) return {};
  if (!text_of(test.at("expect"), "arc_seal").empty()) {
    EXPECT_EQ(name_of(checked(message, zone_of(test)).result), name_of(*chain));
  }
  const SealOrder order{.results = results,
                        .chain = *chain,
                        .body_hash = body_hash,
                        .now_unix = test.at("t").as_int64()};
  const auto set = make_set(fields, order, sealer, names);
  if (!set || set->empty()) return {};
  const auto made = mail::readable_fields(*set);
  return {std::string(made.at(2).value), std::string(made.at(1).value),
          std::string(made.at(0).value), resealed(fields, made, *key), *set + message};
}

TEST_F(ArcVectors, AreSealedTagByTag) {
  std::size_t cases = 0;
  for (const json::value& test : all_tests()) {
    if (!is_signing(test)) continue;
    const std::string name = text_of(test, "name");
    const json::value& expected = test.at("expect");
    const Signed made = sealed(test);
    ++cases;
    if (text_of(expected, "arc_seal").empty()) {
      EXPECT_EQ(made.seal, "") << name;
      continue;
    }
    ASSERT_NE(made.seal, "") << name;
    auto seal = tags_of(made.seal);
    seal["b"] = made.unfolded_seal;
    auto signature = tags_of(made.signature);
    // The suite left these out of its runs: their b= are no RSA signatures of what RFC 8617 has
    // signed. dkimpy makes of them what we make.
    if (marked(test, "unused_upstream")) {
      seal["b"] = tags_of(expected.at("arc_seal_tags"))["b"];
      signature["b"] = tags_of(expected.at("arc_message_signature_tags"))["b"];
    }
    EXPECT_EQ(seal, tags_of(expected.at("arc_seal_tags"))) << name;
    EXPECT_EQ(signature, tags_of(expected.at("arc_message_signature_tags"))) << name;
    const auto verdict = checked(made.message, zone_of(test));
    EXPECT_EQ(name_of(verdict.result), seal["cv"] == "fail" ? "fail" : "pass") << verdict.problem;
    EXPECT_EQ(dkim::without_spaces(made.results),
              dkim::without_spaces(text_of(expected, "arc_authentication_results")))
        << name;
  }
  if (vectors::none(cases, "messages to seal")) return;
  std::printf("%zu messages sealed\n", cases);
}

}  // namespace
}  // namespace relay::auth::arc
