// Every message of $VECTORS/corpus that our server would take, signed by us and verified by us, RSA
// and Ed25519. tests/auth/dkim/verify_corpus.py shows the same signatures to verifiers of others.
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "relay/auth/dkim/signature_maker.hpp"
#include "tests/auth/dkim/judged.hpp"
#include "tests/auth/dkim/recorded_resolver.hpp"
#include "tests/auth/dkim/test_signer.hpp"
#include "tests/source_dir.hpp"

namespace relay::auth::dkim {
namespace {

namespace fs = std::filesystem;

fs::path corpus() {
  const char* named = std::getenv("VECTORS");
  return fs::path(named != nullptr ? named : RELAY_SOURCE_DIR "/../shared/vectors") / "corpus" /
         "messages";
}

/// As it would come through our server: every line ends with CRLF.
std::string as_smtp(const fs::path& path) {
  std::stringstream raw;
  raw << std::ifstream(path, std::ios::binary).rdbuf();
  std::string message;
  for (const char c : raw.str()) {
    if (c == '\r') continue;
    if (c == '\n') message += '\r';
    message += c;
  }
  return message;
}

std::string signed_by_us(const std::string& message, const PrivateKey& key) {
  BodyHashes hashes;
  const std::size_t whole = hashes.want(Canon::Relaxed);
  hashes.update(body_of(message));
  hashes.finish();
  const std::size_t header = mail::header_length(message).value_or(message.size());
  const auto fields = mail::readable_fields(std::string_view(message).substr(0, header));
  return make_signature_field({.domain = "fwd.example",
                               .selector = std::string(algorithm_of(key.type())),
                               .body_hash = hashes.digest(whole),
                               .now_unix = kTestNow,
                               .fields = fields},
                              key) +
         message;
}

const mail::DkimVerdict& ours(const std::vector<mail::DkimVerdict>& verdicts) {
  return verdicts.at(0);
}

TEST(Corpus, PassesWithOurSignatureAndFailsWhenChanged) {
  if (!fs::is_directory(corpus())) {
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && std::string_view(ci) == "true") << "no corpus: " << corpus();
    GTEST_SKIP() << "no corpus: " << corpus();
  }
  RecordedResolver dns;
  const PrivateKey keys[] = {test_key("rsa"), test_key("ed25519")};
  for (const PrivateKey& key : keys) {
    dns.set(std::string(algorithm_of(key.type())) + "._domainkey.fwd.example",
            {{key.dns_record()}});
  }
  int passed = 0;
  int refused = 0;
  for (const auto& entry : fs::directory_iterator(corpus())) {
    SCOPED_TRACE(entry.path().filename());
    const std::string message = as_smtp(entry.path());
    // What our server would take, and with a body to be changed.
    if (!mail::header_length(message) || !mail::split_header(message)) continue;
    for (const PrivateKey& key : keys) {
      std::string copy = signed_by_us(message, key);
      const auto good = judged(copy, dns, kTestNow, 1 + entry.file_size() % 61);
      EXPECT_EQ(ours(good).result, mail::DkimResult::Pass) << ours(good).problem;
      passed += ours(good).result == mail::DkimResult::Pass ? 1 : 0;
      copy += "x";
      EXPECT_EQ(ours(judged(copy, dns)).result, mail::DkimResult::Fail);
      const auto on_top = judged("From: someone@else.example\r\n" + copy, dns);
      EXPECT_EQ(ours(on_top).result, mail::DkimResult::Fail);
      ++refused;
    }
  }
  EXPECT_GT(passed, 0);
  std::printf("corpus: %d signatures pass, %d changed messages are refused\n", passed, refused);
}

}  // namespace
}  // namespace relay::auth::dkim
