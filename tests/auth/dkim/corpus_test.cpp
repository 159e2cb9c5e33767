// Every message of $VECTORS/corpus that our server would take, signed by us and verified by us, RSA
// and Ed25519. tests/auth/dkim/verify_corpus.py shows the same signatures to verifiers of others.
#include "relay/auth/dkim/signature_maker.hpp"
#include "tests/auth/dkim/judged.hpp"
#include "tests/auth/dkim/recorded_resolver.hpp"
#include "tests/auth/dkim/test_signer.hpp"
#include "tests/vectors.hpp"

namespace relay::auth::dkim {
namespace {

namespace fs = std::filesystem;

/// As it would come through our server: every line ends with CRLF.
std::string as_smtp(const fs::path& path) {
  std::string message;
  for (const char c : relay::support::read_file(path)) {
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
  if (vectors::missing("corpus/messages")) return;
  RecordedResolver dns;
  const PrivateKey keys[] = {test_key("rsa"), test_key("ed25519")};
  for (const PrivateKey& key : keys) {
    dns.set(std::string(algorithm_of(key.type())) + "._domainkey.fwd.example",
            {{key.dns_record()}});
  }
  std::size_t passed = 0;
  std::size_t refused = 0;
  for (const auto& entry : fs::directory_iterator(vectors::part("corpus/messages"))) {
    SCOPED_TRACE(entry.path().filename());
    const std::string message = as_smtp(entry.path());
    // What our server would take, and with a body to be changed.
    const mail::Header header(message);
    const bool is_plain = header.unreadable().empty() && header.preamble().empty();
    if (!mail::header_length(message) || !is_plain) continue;
    for (const PrivateKey& key : keys) {
      std::string copy = signed_by_us(message, key);
      const auto good = judged(copy, dns, kTestNow, 1 + entry.file_size() % 61);
      EXPECT_EQ(ours(good).result, mail::DkimResult::Pass) << ours(good).problem;
      passed += ours(good).result == mail::DkimResult::Pass ? 1U : 0U;
      copy += "x";
      EXPECT_EQ(ours(judged(copy, dns)).result, mail::DkimResult::Fail);
      const auto on_top = judged("From: someone@else.example\r\n" + copy, dns);
      EXPECT_EQ(ours(on_top).result, mail::DkimResult::Fail);
      ++refused;
    }
  }
  if (vectors::none(refused, "messages to sign")) return;
  std::printf("corpus: %zu signatures pass, %zu changed messages are refused\n", passed, refused);
}

}  // namespace
}  // namespace relay::auth::dkim
