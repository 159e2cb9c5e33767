// A header from a stranger, and the records of strangers wherever the walk goes. The
// input is a header block, an empty line, and then one TXT answer a line, dealt out in turn.
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "relay/auth/dmarc/discovery.hpp"
#include "relay/auth/dmarc/evaluation.hpp"
#include "relay/auth/dmarc/tree_walk.hpp"
#include "relay/mail/author.hpp"
#include "tests/fuzz/oracle.hpp"
#include "tests/support/run_task.hpp"

using namespace relay;
using fuzz::require;
using mail::DmarcResult;

namespace {

/// Every name gets the next answer, and keeps it: "!" is a temporary error, "-" no such name,
/// "" no records; "|" stands between several texts.
class DealtResolver : public ports::Resolver {
 public:
  explicit DealtResolver(std::string_view answers) {
    while (!answers.empty()) {
      const std::size_t end = std::min(answers.find('\n'), answers.size() - 1);
      lines_.emplace_back(answers.substr(0, end));
      answers.remove_prefix(end + 1);
    }
  }

  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> txt(
      std::string name, base::Deadline) override {
    require(name.starts_with("_dmarc."), "only DMARC records are asked for");
    ++asked_;
    require(++counts_[name] == 1, "no name is asked twice");
    ports::DnsAnswer<std::string> answer;
    const std::string& line = next();
    if (line == "!") co_return std::unexpected(ports::DnsError::Temporary);
    if (line == "-") co_return std::unexpected(ports::DnsError::NoSuchName);
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t end = std::min(line.find('|', at), line.size());
      answer.records.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    co_return answer;
  }

  base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, ports::DnsError>> mx(
      std::string, base::Deadline) override {
    ++asked_;
    co_return std::unexpected(error());
  }

  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>> addresses(
      std::string, base::Deadline) override {
    ++asked_;
    co_return std::unexpected(error());
  }

  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>>
  addresses_of(std::string, ports::IpFamily, base::Deadline) override {
    require(false, "not asked for");
    co_return std::unexpected(ports::DnsError::NoData);
  }

  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> names(
      boost::asio::ip::address, base::Deadline) override {
    require(false, "not asked for");
    co_return std::unexpected(ports::DnsError::NoData);
  }

  std::size_t asked() const { return asked_; }

 private:
  const std::string& next() {
    static const std::string none = "-";
    return lines_.empty() ? none : lines_[turn_++ % lines_.size()];
  }

  ports::DnsError error() {
    const std::string& line = next();
    if (line == "!") return ports::DnsError::Temporary;
    return line == "-" ? ports::DnsError::NoSuchName : ports::DnsError::NoData;
  }

  std::vector<std::string> lines_;
  std::size_t turn_ = 0;
  std::size_t asked_ = 0;
  std::map<std::string, int> counts_;
};

void check_record(const std::string& text) {
  const auto record = auth::dmarc::parse_record(text);
  if (!record) return;
  require(record->aggregate_reports.size() <= auth::dmarc::kMaxReportUris, "a list is bounded");
  require(record->applies || record->policy == mail::DmarcPolicy::None, "a void one asks nothing");
  require(!auth::dmarc::select_record({text, text}), "two are none");
}

/// As auth::MessageCheck has it: without an author nothing is asked.
template <class Authors>
mail::DmarcVerdict verdict_on(DealtResolver& resolver, const Authors& authors,
                              const mail::Authentication& found) {
  if (!authors) return auth::dmarc::verdict_on(authors.error());
  auth::dmarc::Question question{.identifiers = auth::dmarc::identifiers_of(found, false)};
  for (const mail::Domain& author : *authors) question.author_domains.push_back(author.folded());
  const auto identifiers = question.identifiers;
  const auto findings =
      support::run_task(auth::dmarc::discover(resolver, std::move(question), base::Deadline{}));
  return auth::dmarc::evaluate(findings, identifiers);
}

void check_verdict(const mail::DmarcVerdict& verdict, bool has_author) {
  if (!has_author) {
    require(verdict.result == DmarcResult::PermError, "an unclear author is never no policy");
    require(verdict.policy == mail::DmarcPolicy::Reject, "but the strictest");
  }
  const bool aligned = verdict.spf_aligned || verdict.dkim_aligned;
  require(aligned || verdict.result != DmarcResult::Pass, "nothing passes without alignment");
  if (verdict.result == DmarcResult::None) {
    require(verdict.policy == mail::DmarcPolicy::None, "none asks for nothing");
  }
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  const std::size_t end = std::min(input.find("\r\n\r\n"), input.size());
  const std::string block(input.substr(0, std::min(end + 2, input.size())));
  const std::string_view answers = input.substr(std::min(end + 4, input.size()));
  check_record(std::string(answers));

  const mail::Header header(block);
  const auto authors = mail::author_domains(header);
  if (authors) {
    require(!authors->empty() && authors->size() <= mail::kMaxAuthorDomains, "some, not many");
    for (const mail::Domain& author : *authors) {
      require(!author.is_literal(), "a name");
      require(std::ranges::all_of(author.text(), [](char c) { return c > ' ' && c <= '~'; }),
              "of printable octets");
      require(auth::dmarc::walk_names(author.folded()).size() <= auth::dmarc::kMaxWalkQueries,
              "a walk is short");
    }
    const auto one = mail::author_domain(header);
    require(!one || one->is_literal() || std::ranges::find(*authors, *one) != authors->end(),
            "the one author is one of them");
  }

  mail::Authentication found;
  found.mail_from = {.result = mail::SpfResult::Pass, .domain = "mail.sender.example"};
  found.dkim = {{.result = mail::DkimResult::Pass, .domain = "a.b.c.d.e.f.g.h.sender.example"}};
  DealtResolver resolver(answers);
  check_verdict(verdict_on(resolver, authors, found), authors.has_value());
  require(resolver.asked() <= auth::dmarc::kMaxQueries, "lookups are bounded");
}
