// The cost of DKIM's canonical forms with the hash over them. The floor is the hash alone, of the
// octets as they came, because every program needs SHA-256.
#include <algorithm>
#include <string>
#include <vector>

#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/dkim/canonical.hpp"
#include "relay/auth/dkim/signature_maker.hpp"
#include "relay/base/sha256.hpp"
#include "relay/mail/header.hpp"
#include "tests/bench/crypto_floor.hpp"
#include "tests/bench/texts.hpp"
#include "tests/bench/turns.hpp"

namespace {

using namespace relay;
using auth::dkim::BodyHashes;
using auth::dkim::Canon;
using bench::kLarge;
using bench::kSmall;
using bench::take_turns;

constexpr std::size_t kReadOctets = 16UL * 1024;  // octets of one read of a session

/// All forms in one pass.
void body(benchmark::State& state, const std::vector<Canon>& forms, const std::string& text) {
  bench::CryptoFloor floor;
  take_turns(
      state, text.size(),
      [&] {
        BodyHashes hashes;
        for (const Canon form : forms) hashes.want(form);
        for (std::string_view rest = text; !rest.empty();) {
          hashes.update(rest.substr(0, kReadOctets));
          rest.remove_prefix(std::min(kReadOctets, rest.size()));
        }
        hashes.finish();
        benchmark::DoNotOptimize(hashes.digest(0).data());
      },
      [&] {
        for (std::size_t i = 0; i < forms.size(); ++i) floor.digest(text);
      });
}

const std::vector<Canon> kSimple = {Canon::Simple};
const std::vector<Canon> kRelaxed = {Canon::Relaxed};
const std::vector<Canon> kBoth = {Canon::Simple, Canon::Relaxed};

RELAY_BENCH(body, simple_prose_4k, kSimple, bench::prose(kSmall));
RELAY_BENCH(body, simple_prose_1m, kSimple, bench::prose(kLarge));
RELAY_BENCH(body, simple_attachment_1m, kSimple, bench::attachment(kLarge));
RELAY_BENCH(body, simple_empty_lines_1m, kSimple, bench::repeated("a\r\n\r\n", kLarge));
RELAY_BENCH(body, relaxed_prose_4k, kRelaxed, bench::prose(kSmall));
RELAY_BENCH(body, relaxed_prose_1m, kRelaxed, bench::prose(kLarge));
RELAY_BENCH(body, relaxed_blanks_4k, kRelaxed, bench::blanks(kSmall));
RELAY_BENCH(body, relaxed_blanks_1m, kRelaxed, bench::blanks(kLarge));
RELAY_BENCH(body, relaxed_attachment_4k, kRelaxed, bench::attachment(kSmall));
RELAY_BENCH(body, relaxed_attachment_1m, kRelaxed, bench::attachment(kLarge));
RELAY_BENCH(body, relaxed_tabs_1m, kRelaxed, bench::repeated("a\tb \t\r\n", kLarge));
RELAY_BENCH(body, both_prose_1m, kBoth, bench::prose(kLarge));

void header(benchmark::State& state, Canon form, const std::string& block) {
  const auto fields = mail::readable_fields(block);
  const auto names = auth::dkim::signed_names(fields);
  bench::CryptoFloor floor;
  take_turns(
      state, block.size(),
      [&] {
        const auto text = auth::dkim::canonical_header(fields, names, form);
        benchmark::DoNotOptimize(base::sha256(text));
      },
      [&] { floor.digest(block); });
}

RELAY_BENCH(header, simple, Canon::Simple, bench::header());
RELAY_BENCH(header, relaxed, Canon::Relaxed, bench::header());
RELAY_BENCH(header, relaxed_16k, Canon::Relaxed, bench::repeated(bench::header(), 16UL * 1024));

}  // namespace
