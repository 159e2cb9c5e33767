// The cost of reading and writing the parts of a message: addresses, a header, its author, a DSN.
// The floor is memcpy of the same octets.
#include <string>

#include "relay/mail/address.hpp"
#include "relay/mail/author.hpp"
#include "relay/mail/dsn.hpp"
#include "relay/mail/header.hpp"
#include "tests/bench/texts.hpp"
#include "tests/bench/turns.hpp"

namespace {

using namespace relay;
using bench::take_turns;

auto one_copy(const std::string& text) {
  return [&text, copy = std::string(text.size(), '\0')]() mutable {
    copy.assign(text);
    benchmark::DoNotOptimize(copy.data());
  };
}

void reverse_path(benchmark::State& state, const std::string& text) {
  take_turns(
      state, text.size(),
      [&] {
        auto path = mail::parse_reverse_path(text);
        if (!path) state.SkipWithError("refused");
        benchmark::DoNotOptimize(path);
      },
      one_copy(text));
}

RELAY_BENCH(reverse_path, plain, "<ann@sender.example>");
RELAY_BENCH(reverse_path, srs, "<SRS0=k3vq7w2n=AB=sender.example=bounces+4711@relay.example>");
RELAY_BENCH(reverse_path, quoted, "<\"Ann \\\"the\\\" Example\"@sender.example>");
RELAY_BENCH(reverse_path, utf8_domain,
            "<ann@b\xC3\xBC"
            "cher.example>");

/// A header of many fields, as mail that went through several hands has.
std::string long_header() { return bench::repeated(bench::header(), 16UL * 1024); }

void header(benchmark::State& state, const std::string& block) {
  take_turns(
      state, block.size(),
      [&] {
        const mail::Header read(block);
        if (!read.unreadable().empty()) state.SkipWithError("not readable");
        benchmark::DoNotOptimize(read.fields().data());
      },
      one_copy(block));
}

RELAY_BENCH(header, usual, bench::header());
RELAY_BENCH(header, long, long_header());

void author_domain(benchmark::State& state, const std::string& block) {
  take_turns(
      state, block.size(),
      [&] {
        auto domain = mail::author_domain(mail::Header(block));
        if (!domain) state.SkipWithError("no author");
        benchmark::DoNotOptimize(domain);
      },
      one_copy(block));
}

RELAY_BENCH(author_domain, usual, bench::header());
RELAY_BENCH(
    author_domain, commented,
    "From: =?utf-8?Q?Ann?= (of (the) \\(house) \"Example, Ann\" <ann@sender.example> (x)\r\n");

mail::DsnRequest bounce() {
  const base::WallTime now{std::chrono::milliseconds(1'795'500'000'000)};
  mail::DsnRecipient failed{
      .original = mail::ForwardPath(*mail::Mailbox::parse("info@fwd.example")),
      .target = *mail::Mailbox::parse("me@mail.example"),
      .attempt = {}};
  failed.attempt.at = now;
  failed.attempt.host = "mx.mail.example";
  failed.attempt.address = "192.0.2.9";
  failed.attempt.stage = mail::Stage::RcptTo;
  failed.attempt.code = 550;
  failed.attempt.status = {5, 1, 1};
  failed.attempt.text = "5.1.1 <me@mail.example>: Recipient address rejected: no such user";
  return {.new_id = [now] { return mail::MessageId::make(now, {1}); },
          .original_id = mail::MessageId::make(now, {2}),
          .reporting_host = *mail::Domain::parse("mx.fwd.example"),
          .addressee = *mail::Mailbox::parse("ann@sender.example"),
          .now = now,
          .arrived_at = now - std::chrono::hours(1),
          .original_header = bench::header(),
          .hide_targets = true,
          .recipients = {failed}};
}

void write_dsn(benchmark::State& state) {
  const mail::DsnRequest request = bounce();
  const std::string text = mail::build_dsns(request).at(0).content;
  take_turns(
      state, text.size(), [&] { benchmark::DoNotOptimize(mail::build_dsns(request)); },
      one_copy(text));
}

BENCHMARK(write_dsn)->UseManualTime();

}  // namespace
