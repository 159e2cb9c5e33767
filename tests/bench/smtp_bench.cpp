// The cost of the SMTP dialogue and its content without a network: parsers, the server side of a
// whole message, and the reader and writer of the end of data. The floor of a reader is memchr over
// the same octets, that of a writer memcpy.
#include <cstring>
#include <string>
#include <vector>

#include "relay/smtp/command.hpp"
#include "relay/smtp/data_reader.hpp"
#include "relay/smtp/dot_stuffer.hpp"
#include "relay/smtp/reply_parser.hpp"
#include "relay/smtp/server_machine.hpp"
#include "tests/bench/texts.hpp"
#include "tests/bench/turns.hpp"

namespace {

using namespace relay;
using bench::kLarge;
using bench::kSmall;
using bench::take_turns;

/// Reads every octet once: NUL occurs in none of these texts.
auto one_look(const std::string& text) {
  return [&text] { benchmark::DoNotOptimize(std::memchr(text.data(), '\0', text.size())); };
}

void command(benchmark::State& state, const std::string& line) {
  take_turns(
      state, line.size(),
      [&] {
        auto parsed = smtp::parse_command(line);
        if (!parsed) state.SkipWithError("refused");
        benchmark::DoNotOptimize(parsed);
      },
      one_look(line));
}

RELAY_BENCH(command, ehlo, "EHLO mx.sender.example");
RELAY_BENCH(command, mail, "MAIL FROM:<bounces+4711@lists.sender.example>");
RELAY_BENCH(command, mail_with_parameters,
            "MAIL FROM:<bounces+4711@lists.sender.example> SIZE=48213 BODY=8BITMIME SMTPUTF8");
RELAY_BENCH(command, rcpt, "RCPT TO:<user+newsletters@forward.example>");
RELAY_BENCH(command, rcpt_utf8_domain,
            "RCPT TO:<user@b\xC3\xBC"
            "cher.example>");
RELAY_BENCH(command, data, "DATA");

void reply(benchmark::State& state, const std::string& octets) {
  smtp::ReplyParser parser;
  take_turns(
      state, octets.size(),
      [&] {
        parser.feed(octets);
        auto read = parser.next();
        if (!read || !*read) state.SkipWithError("no reply");
        benchmark::DoNotOptimize(read);
      },
      one_look(octets));
}

RELAY_BENCH(reply, one_line, "250 2.1.5 <user@target.example>... Recipient ok\r\n");
RELAY_BENCH(reply, ehlo_answer,
            "250-mx.target.example at your service, [192.0.2.1]\r\n250-SIZE 157286400\r\n"
            "250-8BITMIME\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n"
            "250-CHUNKING\r\n250 SMTPUTF8\r\n");

/// The octets written after one line of the client.
std::size_t answer(smtp::ServerMachine& machine, std::string_view line) {
  smtp::Action action = machine.on_line(line, false);
  if (std::holds_alternative<smtp::CheckRecipient>(action)) {
    action = machine.on_recipient(std::nullopt);
  }
  return std::visit(
      [](const auto& one) -> std::size_t {
        if constexpr (requires { one.reply; }) return one.reply.wire().size();
        return 0;
      },
      action);
}

/// One message; its end is answered 451, for a 250 costs a commit.
void dialogue(benchmark::State& state) {
  const std::vector<std::string> lines = {
      "EHLO mx.sender.example", "MAIL FROM:<bounces+4711@lists.sender.example> SIZE=48213",
      "RCPT TO:<user@forward.example>", "DATA"};
  smtp::ServerOptions options;
  options.hostname = "mx.relay.example";
  const auto refused =
      smtp::EndOfDataReply::refused(smtp::Reply(451, {4, 3, 0}, "nothing is stored here"));
  std::string all;
  for (const auto& line : lines) all += line + "\r\n";
  take_turns(
      state, all.size(),
      [&] {
        smtp::ServerMachine machine(options);
        std::size_t sent = machine.banner().wire().size();
        for (const auto& line : lines) sent += answer(machine, line);
        benchmark::DoNotOptimize(machine.on_content_end(refused));
        sent += answer(machine, "QUIT");
        benchmark::DoNotOptimize(sent);
      },
      one_look(all));
}

BENCHMARK(dialogue)->UseManualTime();

/// Content as it is on the wire, with its end.
void read_content(benchmark::State& state, const std::string& content) {
  const std::string wire = content + ".\r\n";
  take_turns(
      state, wire.size(),
      [&] {
        smtp::DataReader reader({});
        reader.feed(wire, [](std::string_view span) { benchmark::DoNotOptimize(span.data()); });
        if (!reader.finished() || reader.fault() != smtp::ContentFault::None) {
          state.SkipWithError("not read");
        }
      },
      one_look(wire));
}

void stuff_dots(benchmark::State& state, const std::string& content) {
  std::string wire;
  std::string copy;
  take_turns(
      state, content.size(),
      [&] {
        wire.clear();
        smtp::DotStuffer stuffer;
        if (!stuffer.put(content, wire) || !stuffer.finish(wire)) state.SkipWithError("refused");
        benchmark::DoNotOptimize(wire.data());
      },
      [&] {
        copy.assign(content);
        benchmark::DoNotOptimize(copy.data());
      });
}

RELAY_BENCH(read_content, prose_4k, bench::prose(kSmall));
RELAY_BENCH(read_content, prose_1m, bench::prose(kLarge));
RELAY_BENCH(read_content, attachment_1m, bench::attachment(kLarge));
RELAY_BENCH(read_content, empty_lines_1m, bench::repeated("\r\n", kLarge));
RELAY_BENCH(read_content, short_lines_1m, bench::repeated("a\r\n", kLarge));
RELAY_BENCH(read_content, dots_1m, bench::repeated("..\r\n", kLarge));

RELAY_BENCH(stuff_dots, prose_4k, bench::prose(kSmall));
RELAY_BENCH(stuff_dots, prose_1m, bench::prose(kLarge));
RELAY_BENCH(stuff_dots, attachment_1m, bench::attachment(kLarge));
RELAY_BENCH(stuff_dots, empty_lines_1m, bench::repeated("\r\n", kLarge));
RELAY_BENCH(stuff_dots, short_lines_1m, bench::repeated("a\r\n", kLarge));
RELAY_BENCH(stuff_dots, dots_1m, bench::repeated(".\r\n", kLarge));

}  // namespace
