// SPF records, their macros and their evaluation, with answers out of the input.
#include <algorithm>
#include <set>
#include <string>

#include "relay/auth/spf/check.hpp"
#include "relay/auth/spf/record.hpp"
#include "relay/base/text.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fuzz/oracle.hpp"
#include "tests/support/run_task.hpp"

using namespace relay;
using fuzz::require;

namespace {

namespace spf = auth::spf;
using boost::asio::ip::address;
using ports::DnsError;

/// Answers each question with the next line of a script, whatever was asked: a letter for an error
/// (n, d, z, t, b, o, m), or texts, names and addresses between commas. After its end, from the
/// beginning.
class ScriptedResolver : public ports::Resolver {
 public:
  explicit ScriptedResolver(std::string_view script) : script_(script), rest_(script) {}

  base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, DnsError>> mx(std::string domain,
                                                                          base::Deadline) override {
    auto texts = answer(domain, kMaxMxHosts);
    if (!texts) co_return std::unexpected(texts.error());
    ports::DnsAnswer<ports::MxHost> hosts;
    for (auto& text : texts->records) {
      if (can_be_name(text)) hosts.records.push_back({10, std::move(text)});
    }
    co_return hosts;
  }

  base::Task<std::expected<ports::DnsAnswer<address>, DnsError>> addresses(
      std::string host, base::Deadline deadline) override {
    co_return co_await addresses_of(std::move(host), ports::IpFamily::V4, deadline);
  }

  base::Task<std::expected<ports::DnsAnswer<address>, DnsError>> addresses_of(
      std::string host, ports::IpFamily family, base::Deadline) override {
    const auto texts = answer(host);
    if (!texts) co_return std::unexpected(texts.error());
    ports::DnsAnswer<address> found;
    for (const auto& text : texts->records) {
      boost::system::error_code error;
      const auto parsed = boost::asio::ip::make_address(text, error);
      if (!error && parsed.is_v4() == (family == ports::IpFamily::V4)) {
        found.records.push_back(parsed);
      }
    }
    co_return found;
  }

  base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> names(
      address client, base::Deadline) override {
    auto texts = answer(client.to_string());
    if (texts) std::erase_if(texts->records, [](const auto& text) { return !can_be_name(text); });
    co_return texts;
  }

  base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> txt(std::string name,
                                                                         base::Deadline) override {
    co_return answer(name);
  }

  /// Distinct names.
  std::size_t asked() const { return asked_.size(); }

 private:
  std::expected<ports::DnsAnswer<std::string>, DnsError> answer(const std::string& name,
                                                                std::size_t limit = 1000) {
    require(!name.empty() && name.find('\0') == std::string::npos, "a name that can be asked for");
    require(name.size() <= spf::kMaxNameOctets, "no longer than names are");
    asked_.insert(base::lower(name));
    if (rest_.empty()) rest_ = script_;
    std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    if (line.size() == 1) return std::unexpected(error_named(line.front()));
    ports::DnsAnswer<std::string> found;
    while (!line.empty() && found.records.size() < limit) {
      const auto piece = line.substr(0, line.find(','));
      line.remove_prefix(std::min(line.size(), piece.size() + 1));
      found.records.emplace_back(piece);
    }
    return found;
  }

  /// What a resolver gives as a name can be one.
  static bool can_be_name(const std::string& text) {
    return !text.empty() && text.size() <= spf::kMaxNameOctets;
  }

  static DnsError error_named(char letter) {
    switch (letter) {
      case 'd':
        return DnsError::NoData;
      case 'z':
        return DnsError::NullMx;
      case 't':
        return DnsError::Temporary;
      case 'b':
        return DnsError::Bogus;
      case 'o':
        return DnsError::Timeout;
      case 'm':
        return DnsError::Malformed;
      default:
        return DnsError::NoSuchName;
    }
  }

  std::string_view script_;
  std::string_view rest_;
  std::set<std::string> asked_;
};

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

std::string_view take_line(std::string_view& rest) {
  const auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

spf::Evaluation evaluate(ScriptedResolver& resolver, spf::Query query) {
  static fakes::FakeClock clock;
  return support::run_task(spf::check(resolver, clock, std::move(query)));
}

void check_record(std::string_view text) {
  const auto record = spf::parse_record(text);
  if (!record) {
    require(is_printable(record.error()), "an error is one printable line");
    require(record.error().size() < 256, "and a short one");
    return;
  }
  // A record put together again out of its directives is the same one.
  std::string again = "v=spf1";
  for (const auto& directive : record->directives) again += " " + directive.text;
  const auto same = spf::parse_record(again);
  require(same.has_value(), "directives alone are a record");
  require(same->directives.size() == record->directives.size(), "of as many");
  for (std::size_t i = 0; i < same->directives.size(); ++i) {
    const auto& a = record->directives[i];
    const auto& b = same->directives[i];
    require(a.result == b.result && a.mechanism == b.mechanism && a.network == b.network &&
                a.prefix.v4 == b.prefix.v4 && a.prefix.v6 == b.prefix.v6 &&
                a.domain.has_value() == b.domain.has_value(),
            "and of the same");
  }
}

}  // namespace

/// Lines: client, HELO name, MAIL FROM or nothing, then the script; its lines are records, too.
RELAY_FUZZ_TARGET(input) {
  std::string_view rest = input;
  boost::system::error_code error;
  auto client = boost::asio::ip::make_address(std::string(take_line(rest)), error);
  if (error) client = boost::asio::ip::make_address_v4(0xC0000201U);
  const std::string helo(take_line(rest));
  const std::string_view mail_from = take_line(rest);
  for (std::string_view script = rest; !script.empty();) check_record(take_line(script));

  ScriptedResolver resolver(rest);
  spf::Query query{.client = client, .helo = helo, .receiver = "mx.example.org", .explain = true};
  if (const auto at = mail_from.rfind('@'); at != std::string_view::npos) {
    query.mail_from =
        spf::Sender{std::string(mail_from.substr(0, at)), std::string(mail_from.substr(at + 1))};
  }
  const auto evaluation = evaluate(resolver, query);
  require(evaluation.terms <= spf::kMaxTerms, "ten terms with lookups");
  require(evaluation.voids <= spf::kMaxVoids, "two void lookups");
  require(evaluation.queries <= spf::kMaxQueries, "so many questions");
  require(resolver.asked() <= evaluation.queries, "every one of them counted");
  require(is_printable(evaluation.verdict.domain) && is_printable(evaluation.verdict.mechanism) &&
              is_printable(evaluation.verdict.problem) && is_printable(evaluation.explanation),
          "texts are printable");
  require(evaluation.explanation.size() <= spf::kMaxExplanationOctets, "and bounded");
  require(evaluation.verdict.mechanism.size() <= 255, "and bounded");
}
