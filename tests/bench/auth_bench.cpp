// The cost of authentication for a message: verified, reported on, signed and sealed, beside the
// part that no program can avoid: the RSA and Ed25519 operations, and SHA-256 over the octets. Path
// and floor take turns, so that both see the same machine. Goal: at most 1.3 times the floor at 4
// KiB. Also the cost of verifying our own signatures.
#include <ctime>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "relay/auth/dkim/signature_maker.hpp"
#include "relay/auth/message_check.hpp"
#include "relay/auth/openssl_signer.hpp"
#include "relay/auth/results/field.hpp"
#include "relay/auth/self_check.hpp"
#include "relay/base/sha256.hpp"
#include "relay/mail/author.hpp"
#include "relay/mail/header.hpp"
#include "tests/bench/crypto_floor.hpp"
#include "tests/bench/texts.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/instant_resolver.hpp"

namespace {

using namespace relay;
namespace asio = boost::asio;
namespace dkim = auth::dkim;
using dkim::PrivateKey;

constexpr std::int64_t kNow = 1'795'489'200;      // of FakeClock
constexpr std::size_t kReadOctets = 16UL * 1024;  // octets of one read of a session

enum class SignsWith { Rsa, Both };

enum class Content { Prose, Attachment };

double cpu_seconds() {
  std::timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

const PrivateKey& rsa() {
  static const PrivateKey kKey = *PrivateKey::generate(dkim::KeyType::Rsa);
  return kKey;
}

const PrivateKey& ed25519() {
  static const PrivateKey kKey = *PrivateKey::generate(dkim::KeyType::Ed25519);
  return kKey;
}

/// Signed by its author.
struct Message {
  Message(std::size_t octets, Content content)
      : header(bench::header()),
        body(content == Content::Prose ? bench::prose(octets) : bench::attachment(octets)) {
    dkim::BodyHashes hashes;
    const auto wish = hashes.want(dkim::Canon::Relaxed);
    hashes.update(body);
    hashes.finish();
    const auto fields = mail::readable_fields(header);
    header = dkim::make_signature_field({.domain = "sender.example",
                                         .selector = "s1",
                                         .body_hash = hashes.digest(wish),
                                         .now_unix = kNow,
                                         .fields = fields},
                                        rsa()) +
             header;
  }

  std::string header;
  std::string body;
};

fakes::InstantResolver world() {
  fakes::InstantResolver dns;
  dns.add_address("mx.sender.example", asio::ip::make_address("198.51.100.17"));
  dns.add_ptr("17.100.51.198.in-addr.arpa", "mx.sender.example");
  dns.add_txt("sender.example", "v=spf1 mx ip4:198.51.100.0/28 -all");
  dns.add_mx("sender.example", 10, "mx.sender.example");
  dns.add_txt("s1._domainkey.sender.example", rsa().dns_record());
  dns.add_txt("_dmarc.sender.example", "v=DMARC1; p=reject; rua=mailto:dmarc@sender.example");
  return dns;
}

std::shared_ptr<const auth::SigningKeys> signing_keys(SignsWith with) {
  auto keys = std::make_shared<auth::SigningKeys>();
  keys->domains.push_back({"relay.example", {{"r", rsa()}}});
  if (with == SignsWith::Both) keys->domains.front().keys.push_back({"e", ed25519()});
  keys->sealer = auth::arc::SealingKey{"relay.example", "r", rsa()};
  return keys;
}

/// All that acceptance does about authentication.
class Path {
 public:
  explicit Path(SignsWith with) : keys_(signing_keys(with)), signer_(keys_, 1) {}

  /// Nothing: the message did not pass, or was not signed.
  ports::Signatures take(const Message& message) {
    ports::Signatures made;
    bool done = false;
    io_.restart();
    asio::co_spawn(io_.get_executor(), run(message),
                   [&](const std::exception_ptr&, ports::Signatures got) {
                     made = std::move(got);
                     done = true;
                   });
    const auto guard = asio::make_work_guard(io_);
    while (!done) io_.run_one();
    return made;
  }

 private:
  base::Task<ports::Signatures> run(const Message& message) {
    dkim::BodyHashes hashes;
    const std::size_t own = hashes.want(dkim::Canon::Relaxed);
    auth::MessageCheck check(dns_, clock_, io_.get_executor(), options_,
                             {client(), client_.helo, sender_});
    const auto header = std::make_shared<const mail::Header>(message.header);
    check.on_header(*header, hashes);
    for (std::string_view rest = message.body; !rest.empty();) {
      hashes.update(rest.substr(0, kReadOctets));
      rest.remove_prefix(std::min(kReadOctets, rest.size()));
    }
    hashes.finish();
    const auto found = co_await check.finish(hashes);
    if (found.verdicts.dmarc.result != mail::DmarcResult::Pass) co_return ports::Signatures{};
    ports::SignRequest request{.header = header,
                               .relaxed_body_sha256 = hashes.digest(own),
                               .from_domain = mail::author_domain(*header)->folded(),
                               .now_unix = kNow};
    request.seal = {
        auth::results::results_value(
            "mx.relay.example", {.verdicts = found.verdicts, .sender = sender_, .client = client_}),
        found.verdicts.arc.result};
    auto signatures = co_await signer_.sign(std::move(request));
    co_return std::move(signatures).value_or(ports::Signatures{});
  }

  asio::ip::address client() const { return asio::ip::make_address(client_.address); }

  asio::io_context io_;
  fakes::InstantResolver dns_ = world();
  fakes::FakeClock clock_;
  const mail::Client client_{.address = "198.51.100.17", .helo = "mx.sender.example"};
  const mail::ReversePath sender_ = *mail::parse_reverse_path("<ann@sender.example>");
  const std::shared_ptr<const auth::CheckOptions> options_ =
      std::make_shared<auth::CheckOptions>(auth::CheckOptions{.receiver = "mx.relay.example"});
  base::Published<auth::SigningKeys> keys_;
  auth::OpensslSigner signer_;
};

/// The same cryptography, and nothing else.
class Floor {
 public:
  explicit Floor(SignsWith with) : with_(with) {}

  void take(const Message& message) {
    crypto_.digest(message.body);
    for (int header = 0; header < kHeaderHashes; ++header) crypto_.digest(message.header);
    for (int signature = 0; signature < kRsaSignatures; ++signature) crypto_.sign_rsa();
    crypto_.verify_rsa();
    if (with_ == SignsWith::Rsa) return;
    crypto_.digest(message.header);
    crypto_.sign_ed25519();
  }

 private:
  static constexpr int kHeaderHashes = 3;   ///< verified; signed by DKIM; signed by ARC
  static constexpr int kRsaSignatures = 3;  ///< DKIM, message of ARC, seal of ARC

  const SignsWith with_;
  bench::CryptoFloor crypto_;
};

/// One message; the time shown is CPU time, of all threads.
void message(benchmark::State& state, SignsWith with, Content content = Content::Prose) {
  const Message message(static_cast<std::size_t>(state.range(0)), content);
  Path path(with);
  Floor floor(with);
  double in_path = 0;
  double in_floor = 0;
  for (auto step : state) {
    const double began = cpu_seconds();
    const ports::Signatures made = path.take(message);
    const double half = cpu_seconds();
    floor.take(message);
    const double ended = cpu_seconds();
    if (made.dkim_fields.empty() || made.arc_fields.empty()) {
      return state.SkipWithError("not verified, signed and sealed");
    }
    state.SetIterationTime(half - began);
    in_path += half - began;
    in_floor += ended - half;
  }
  const auto messages = static_cast<double>(state.iterations());
  state.counters["floor_us"] = in_floor / messages * 1e6;
  state.counters["above_us"] = (in_path - in_floor) / messages * 1e6;
  state.counters["ratio"] = in_path / in_floor;
}

constexpr auto kSmall = static_cast<std::int64_t>(bench::kSmall);
constexpr auto kLarge = static_cast<std::int64_t>(bench::kLarge);

auth::PublishedKey published(const std::string& selector, const PrivateKey& key) {
  return {"relay.example", selector, *dkim::parse_key_record(key.dns_record())};
}

/// One check of our signatures and seal, with the records of the keys.
void self_check(benchmark::State& state, SignsWith with) {
  const Message message(kSmall, Content::Prose);
  const ports::Signatures made = Path(with).take(message);
  dkim::BodyHashes hashes;
  const std::size_t own = hashes.want(dkim::Canon::Relaxed);
  hashes.update(message.body);
  hashes.finish();
  for (auto step : state) {
    std::vector<auth::PublishedKey> signers = {published("r", rsa())};
    if (with == SignsWith::Both) signers.push_back(published("e", ed25519()));
    const auto fault = auth::fault_in({.arc_fields = made.arc_fields,
                                       .dkim_fields = made.dkim_fields,
                                       .header_block = message.header,
                                       .body_hash = hashes.digest(own)},
                                      signers, published("r", rsa()));
    if (fault) return state.SkipWithError("does not hold");
  }
}

BENCHMARK_CAPTURE(message, rsa, SignsWith::Rsa)->Arg(kSmall)->Arg(kLarge)->UseManualTime();
BENCHMARK_CAPTURE(message, rsa_and_ed25519, SignsWith::Both)
    ->Arg(kSmall)
    ->Arg(kLarge)
    ->UseManualTime();
BENCHMARK_CAPTURE(message, attachment, SignsWith::Both, Content::Attachment)
    ->Arg(kLarge)
    ->UseManualTime();

BENCHMARK_CAPTURE(self_check, rsa, SignsWith::Rsa);
BENCHMARK_CAPTURE(self_check, rsa_and_ed25519, SignsWith::Both);

}  // namespace
