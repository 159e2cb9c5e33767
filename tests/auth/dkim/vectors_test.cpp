// Judges every message of $VECTORS/dkim with the DNS records that stand beside it. Takes any folder
// of that format: no count and no name is expected, and a case that is not read is a failure.
#include "tests/vectors.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "tests/auth/dkim/judged.hpp"
#include "tests/auth/dkim/recorded_resolver.hpp"

namespace relay::auth::dkim {
namespace {

namespace json = boost::json;
constexpr std::int64_t kSomeTime = 1'700'000'000;  // for messages that say nothing of theirs

std::string text(const json::object& o, const char* key) {
  const json::value* value = o.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

RecordedResolver::Texts texts_of(const json::object& answer) {
  const std::string status = text(answer, "status");
  if (status == "NXDOMAIN") return std::unexpected(ports::DnsError::NoSuchName);
  if (status == "TIMEOUT") return std::unexpected(ports::DnsError::Timeout);
  if (status != "NOERROR") return std::unexpected(ports::DnsError::Temporary);
  std::vector<std::string> texts;
  if (const json::value* all = answer.if_contains("txt")) {
    for (const auto& one : all->as_array()) texts.emplace_back(one.as_string());
  }
  if (texts.empty()) return std::unexpected(ports::DnsError::NoData);
  return texts;
}

/// When the message was judged; else shortly after its newest signature.
std::int64_t time_of(const json::object& one) {
  if (one.at("time").is_number()) return one.at("time").to_number<std::int64_t>();
  std::int64_t newest = 0;
  for (const auto& signature : one.at("signatures").as_array()) {
    newest = std::max(newest, std::int64_t{std::atoll(text(signature.as_object(), "t").c_str())});
  }
  return newest == 0 ? kSomeTime : newest + 60;
}

std::set<std::string> accepted(const json::object& signature) {
  std::set<std::string> names;
  const json::value* accept = signature.if_contains("accept");
  if (accept == nullptr || !accept->is_array()) return names;
  for (const auto& name : accept->get_array()) names.emplace(name.as_string());
  return names;
}

/// What the case asks about one signature.
struct Question {
  const json::object& message;
  const json::object& signature;
  std::set<std::string> accept;
};

bool accepts_pass(const Question& q) { return q.accept.contains("pass"); }

/// Deliberate differences from the set: the condition on the case, and our verdict.
struct Exception {
  const char* clause;
  bool (*applies)(const Question&);
  mail::DkimResult result;
  std::string_view problem;
};

const std::vector<Exception> kExceptions = {
    {"RFC 8301 §3.1: rsa-sha1 has failed for good, whatever the DNS says",
     [](const Question& q) {
       return text(q.signature, "a") == "rsa-sha1" && q.accept.contains("temperror");
     },
     mail::DkimResult::PermError, describe(SignatureError::HistoricAlgorithm)},
    {"RFC 6376 §3.5: v= must be there",
     [](const Question& q) { return accepts_pass(q) && !text(q.message, "obsolete").empty(); },
     mail::DkimResult::PermError, describe(SignatureError::MissingTag)},
    {"RFC 6376 §6.1.2: without a key nothing passes; the case has no record of it",
     [](const Question& q) {
       return accepts_pass(q) &&
              !q.message.at("dns").as_object().contains(text(q.signature, "key_name"));
     },
     mail::DkimResult::PermError, "key lookup: no such domain"},
    {"RFC 6376 §8.2: octets outside of l= are anybody's",
     [](const Question& q) { return accepts_pass(q) && !text(q.signature, "l").empty(); },
     mail::DkimResult::Policy, "l= leaves a part of the body unsigned"},
};

class DkimVectors : public testing::Test {
 protected:
  void judge_message(const json::object& one) {
    RecordedResolver dns;
    for (const auto& [name, answer] : one.at("dns").as_object()) {
      dns.set(name, texts_of(answer.as_object()));
    }
    const std::string message =
        relay::support::read_file(vectors::part("dkim") / text(one, "file"));
    ASSERT_FALSE(message.empty()) << text(one, "file");
    const auto verdicts = judged(message, dns, time_of(one), 7);
    const auto& signatures = one.at("signatures").as_array();
    ASSERT_EQ(verdicts.size(), signatures.size());
    for (std::size_t i = 0; i < signatures.size(); ++i) {
      const json::object& signature = signatures[i].as_object();
      compare({one, signature, accepted(signature)}, verdicts[i]);
    }
  }

  void compare(const Question& q, const mail::DkimVerdict& verdict) {
    const std::string result(mail::name_of(verdict.result));
    ++counts_[result];
    EXPECT_EQ(verdict.problem.empty(), verdict.result == mail::DkimResult::Pass);
    if (q.accept.empty() || q.accept.contains(result)) return;
    for (std::size_t i = 0; i < kExceptions.size(); ++i) {
      const Exception& exception = kExceptions[i];
      if (!exception.applies(q)) continue;
      EXPECT_EQ(verdict.result, exception.result) << exception.clause;
      EXPECT_EQ(verdict.problem, exception.problem) << exception.clause;
      used_.insert(i);
      return;
    }
    ADD_FAILURE() << result << " (" << verdict.problem
                  << "), accepted: " << json::serialize(*q.signature.if_contains("accept"));
  }

  std::map<std::string, int> counts_;
  std::set<std::size_t> used_;
};

TEST_F(DkimVectors, AreJudgedAsTheyShouldBe) {
  if (vectors::missing("dkim/cases.json")) return;
  const json::value set = vectors::read(vectors::part("dkim/cases.json"));
  std::size_t messages = 0;
  for (const auto& one : set.at("cases").as_array()) {
    const std::string file = text(one.as_object(), "file");
    SCOPED_TRACE(text(one.as_object(), "name"));
    if (vectors::other() && !std::filesystem::exists(vectors::part("dkim") / file)) {
      std::printf("skipped: no message %s\n", file.c_str());
      continue;
    }
    judge_message(one.as_object());
    ++messages;
  }
  if (vectors::none(messages, "messages to judge")) return;
  std::printf("DKIM vectors: %zu messages", messages);
  for (const auto& [result, count] : counts_) std::printf(", %d %s", count, result.c_str());
  std::printf(", %zu of %zu exceptions\n", used_.size(), kExceptions.size());
  // Another folder need not have every oddity; the project's own has.
  if (!vectors::other()) EXPECT_EQ(used_.size(), kExceptions.size());
}

}  // namespace
}  // namespace relay::auth::dkim
