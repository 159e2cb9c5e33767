// The cost of signatures beside the bare operations of OpenSSL: made, verified, sealed; and of the
// field that reports on them, written and read.
#include <memory>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/dkim/signature_maker.hpp"
#include "relay/auth/dkim/verifier.hpp"
#include "relay/auth/results/field.hpp"
#include "relay/auth/results/parser.hpp"
#include "relay/base/sha256.hpp"
#include "relay/mail/header.hpp"
#include "tests/bench/crypto_floor.hpp"
#include "tests/bench/texts.hpp"
#include "tests/bench/turns.hpp"
#include "tests/fakes/instant_resolver.hpp"

namespace {

using namespace relay;
namespace asio = boost::asio;
namespace dkim = auth::dkim;
using bench::take_turns;
using dkim::KeyType;
using dkim::PrivateKey;

constexpr std::int64_t kNow = 1'795'489'200;

const PrivateKey& key_of(KeyType type) {
  static const PrivateKey kRsa = *PrivateKey::generate(KeyType::Rsa);
  static const PrivateKey kEd25519 = *PrivateKey::generate(KeyType::Ed25519);
  return type == KeyType::Rsa ? kRsa : kEd25519;
}

std::string body_hash(const std::string& body) {
  dkim::BodyHashes hashes;
  const auto wish = hashes.want(dkim::Canon::Relaxed);
  hashes.update(body);
  hashes.finish();
  return hashes.digest(wish);
}

std::string signature_field(KeyType type, const std::vector<mail::HeaderField>& fields,
                            const std::string& hash) {
  return dkim::make_signature_field({.domain = "sender.example",
                                     .selector = "s1",
                                     .body_hash = hash,
                                     .now_unix = kNow,
                                     .fields = fields},
                                    key_of(type));
}

void sign(benchmark::State& state, KeyType type) {
  const std::string header = bench::header();
  const auto fields = mail::readable_fields(header);
  const std::string hash = body_hash(bench::prose(bench::kSmall));
  bench::CryptoFloor floor;
  take_turns(
      state, header.size(),
      [&] {
        const std::string field = signature_field(type, fields, hash);
        if (field.empty()) state.SkipWithError("not signed");
      },
      [&] {
        floor.digest(header);
        type == KeyType::Rsa ? floor.sign_rsa() : floor.sign_ed25519();
      });
}

RELAY_BENCH(sign, rsa, KeyType::Rsa);
RELAY_BENCH(sign, ed25519, KeyType::Ed25519);

base::Task<> fetch(dkim::Verification& verification, ports::Resolver& dns) {
  for (std::size_t i = 0; i < verification.lookups(); ++i) {
    co_await verification.fetch_key(i, dns, base::Deadline{});
  }
}

/// A message of 4 KiB with one signature; the key is in the cache.
void verify(benchmark::State& state, KeyType type) {
  const std::string body = bench::prose(bench::kSmall);
  const std::string unsigned_header = bench::header();
  const std::string header =
      signature_field(type, mail::readable_fields(unsigned_header), body_hash(body)) +
      unsigned_header;
  fakes::InstantResolver dns;
  dns.add_txt("s1._domainkey.sender.example", key_of(type).dns_record());
  const base::WallTime now{std::chrono::seconds(kNow)};
  asio::io_context io;
  bench::CryptoFloor floor;
  take_turns(
      state, header.size() + body.size(),
      [&] {
        dkim::BodyHashes hashes;
        dkim::Verification verification(mail::Header(header), hashes);
        asio::co_spawn(io, fetch(verification, dns), [](const std::exception_ptr&) {});
        io.restart();
        io.run();
        hashes.update(body);
        hashes.finish();
        const auto verdicts = verification.finish(hashes, now);
        if (verdicts.at(0).result != mail::DkimResult::Pass) state.SkipWithError("not verified");
      },
      [&] {
        floor.digest(body);
        floor.digest(header);
        type == KeyType::Rsa ? floor.verify_rsa() : floor.verify_ed25519();
      });
}

RELAY_BENCH(verify, rsa, KeyType::Rsa);
RELAY_BENCH(verify, ed25519, KeyType::Ed25519);

mail::Authentication usual_verdicts() {
  mail::Authentication found;
  found.helo = {.result = mail::SpfResult::None,
                .identity = mail::SpfIdentity::Helo,
                .domain = "mx.sender.example"};
  found.mail_from = {.result = mail::SpfResult::Pass, .domain = "sender.example"};
  found.dkim = {{.result = mail::DkimResult::Pass,
                 .domain = "sender.example",
                 .selector = "s1",
                 .identity = "@sender.example",
                 .algorithm = "rsa-sha256",
                 .signature_head = "Ab3dEf7h",
                 .key_bits = 2048}};
  found.dmarc = {.result = mail::DmarcResult::Pass,
                 .from_domain = "sender.example",
                 .policy_domain = "sender.example",
                 .policy = mail::DmarcPolicy::Reject,
                 .spf_aligned = true,
                 .dkim_aligned = true};
  return found;
}

std::string usual_results() {
  const auto sender = *mail::parse_reverse_path("<ann@sender.example>");
  const mail::Client client{.address = "198.51.100.17", .helo = "mx.sender.example"};
  return auth::results::results_value(
      "mx.relay.example", {.verdicts = usual_verdicts(), .sender = sender, .client = client});
}

/// Two signatures: over the message, and over the set.
void seal(benchmark::State& state) {
  const std::string header = bench::header();
  const auto fields = mail::readable_fields(header);
  const std::string hash = body_hash(bench::prose(bench::kSmall));
  const std::string results = usual_results();
  const auth::arc::SealingKey sealer{"relay.example", "arc", key_of(KeyType::Rsa)};
  bench::CryptoFloor floor;
  take_turns(
      state, header.size(),
      [&] {
        const auto set = auth::arc::make_set(
            fields, {.results = results, .body_hash = hash, .now_unix = kNow}, sealer);
        if (!set || set->empty()) state.SkipWithError("not sealed");
      },
      [&] {
        floor.digest(header);
        floor.sign_rsa();
        floor.digest(results);
        floor.sign_rsa();
      });
}

BENCHMARK(seal)->UseManualTime();

auto one_copy(const std::string& text) {
  return [&text, copy = std::string(text.size(), '\0')]() mutable {
    copy.assign(text);
    benchmark::DoNotOptimize(copy.data());
  };
}

void write_results(benchmark::State& state) {
  const auto verdicts = usual_verdicts();
  const auto sender = *mail::parse_reverse_path("<ann@sender.example>");
  const mail::Client client{.address = "198.51.100.17", .helo = "mx.sender.example"};
  const std::string text = usual_results();
  take_turns(
      state, text.size(),
      [&] {
        benchmark::DoNotOptimize(auth::results::results_value(
            "mx.relay.example", {.verdicts = verdicts, .sender = sender, .client = client}));
      },
      one_copy(text));
}

void read_results(benchmark::State& state) {
  const std::string text = usual_results();
  take_turns(
      state, text.size(),
      [&] {
        auto read = auth::results::parse_results(text);
        if (!read) state.SkipWithError("not read");
        benchmark::DoNotOptimize(read);
      },
      one_copy(text));
}

BENCHMARK(write_results)->UseManualTime();
BENCHMARK(read_results)->UseManualTime();

}  // namespace
