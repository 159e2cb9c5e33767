// Signs and seals a folder of messages as so many hops in a row would, for verifiers of other
// projects: seal_messages KEY.pem DOMAIN SELECTOR HOPS IN OUT. Prints the TXT record of the key.
// Our own verifier judges each hop before the next; a chain that does not pass ends the run.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/dkim/signature_maker.hpp"
#include "relay/auth/results/field.hpp"
#include "tests/auth/arc/checked.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/support/read_file.hpp"

namespace {

namespace fs = std::filesystem;
using namespace relay;

constexpr std::int64_t kNow = 1'795'489'200;

std::string body_hash(const std::string& message, std::size_t header) {
  auth::dkim::BodyHashes hashes;
  const auto wish = hashes.want(auth::dkim::Canon::Relaxed);
  if (message.size() > header + 2) hashes.update(std::string_view(message).substr(header + 2));
  hashes.finish();
  return hashes.digest(wish);
}

std::string results_value(const mail::ArcVerdict& chain) {
  const mail::Authentication found{.arc = chain};
  const auto sender = *mail::parse_reverse_path("<ann@sender.example>");
  const mail::Client client{.address = "192.0.2.1", .helo = "mx.sender.example"};
  return auth::results::results_value("mx.fwd.example",
                                      {.verdicts = found, .sender = sender, .client = client});
}

/// With our DKIM-Signature and our ARC set on top.
std::string next_hop(const std::string& message, const auth::arc::SealingKey& sealer,
                     const mail::ArcVerdict& chain) {
  const std::size_t header = mail::header_length(message).value_or(message.size());
  const std::string hash = body_hash(message, header);
  const auto fields = mail::readable_fields(std::string_view(message).substr(0, header));
  const std::string signature = auth::dkim::make_signature_field({.domain = sealer.domain,
                                                                  .selector = sealer.selector,
                                                                  .body_hash = hash,
                                                                  .now_unix = kNow,
                                                                  .fields = fields},
                                                                 sealer.key);
  const std::string block = signature + message.substr(0, header);
  const std::string results = results_value(chain);
  const auto set = auth::arc::make_set(
      mail::readable_fields(block),
      {.results = results, .chain = chain.result, .body_hash = hash, .now_unix = kNow}, sealer);
  return set.value() + signature + message;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  auto key = auth::dkim::PrivateKey::parse(support::read_file(argv[1]));
  if (!key) {
    std::fprintf(stderr, "%s\n", key.error().c_str());
    return 1;
  }
  const auth::arc::SealingKey sealer{argv[2], argv[3], *key};
  fakes::FakeClock clock;
  fakes::FakeResolver resolver(
      clock,
      auth::arc::key_line(sealer.selector + "._domainkey." + sealer.domain, key->dns_record()));
  for (const auto& entry : fs::directory_iterator(argv[5])) {
    std::string message = support::read_file(entry.path());
    for (int hop = 0; hop <= std::atoi(argv[4]); ++hop) {
      const auto verdict = auth::arc::checked(message, resolver);
      const auto expected = hop == 0 ? mail::ArcResult::None : mail::ArcResult::Pass;
      if (verdict.result != expected || verdict.oldest_pass != 0) {
        std::fprintf(stderr, "%s, hop %d: %s\n", entry.path().c_str(), hop,
                     verdict.problem.c_str());
        return 1;
      }
      if (hop < std::atoi(argv[4])) message = next_hop(message, sealer, verdict);
    }
    std::ofstream(fs::path(argv[6]) / entry.path().filename(), std::ios::binary) << message;
  }
  std::printf("%s\n", key->dns_record().c_str());
}
