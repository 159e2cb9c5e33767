#include "relay/dns/unbound_resolver.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <sys/resource.h>
#include <unbound.h>

#include "relay/base/spawn.hpp"
#include "relay/dns/lookup_queue.hpp"
#include "relay/dns/rdata.hpp"

namespace relay::dns {

namespace asio = boost::asio;
using ports::DnsAnswer;
using ports::DnsError;

namespace {

// Cache sizes for a mail host: some ten thousand names, not those of a provider's resolver. Asking
// localhost is allowed, because a local forwarding resolver is the usual setup.
constexpr std::pair<const char*, const char*> kSettings[] = {
    {"do-not-query-localhost:", "no"},
    {"msg-cache-size:", "8m"},
    {"rrset-cache-size:", "16m"},
    {"qname-minimisation:", "yes"},
    {"num-queries-per-thread:", "4096"},
    {"outgoing-num-tcp:", "32"},
    // Clients may have private addresses; by default libunbound answers that these have no names.
    {"unblock-lan-zones:", "yes"},
    {"insecure-lan-zones:", "yes"},
};

/// How many questions may be under way at once. With libunbound's default of sixteen, a few senders
/// whose DNS does not answer would hold up all others. Each question uses a descriptor, so a
/// process with few of them is allowed fewer questions.
std::string questions_at_once() {
  constexpr rlim_t kMost = 4096;
  constexpr rlim_t kLeast = 16;
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return std::to_string(kLeast);
  return std::to_string(std::clamp(descriptors.rlim_cur / 4, kLeast, kMost));
}

std::string problem(const std::string& subject, int error) {
  return subject + ": " + ::ub_strerror(error);
}

/// What is wrong with the world's records; "" if nothing is.
std::string set_world(ub_ctx* context, std::string_view lines) {
  int error = ::ub_ctx_zone_add(context, ".", "static");
  if (error != 0) return problem("world", error);
  for (std::size_t number = 1; !lines.empty(); ++number) {
    std::string line(lines.substr(0, lines.find('\n')));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty() || line.front() == ';' || line.front() == '#') continue;
    error = ::ub_ctx_data_add(context, line.c_str());
    if (error != 0) return problem("line " + std::to_string(number), error);
  }
  return {};
}

// Asks on the home shard; the awaiting task resumes on its own shard.
base::Task<std::vector<RawResult>> ask(std::shared_ptr<LookupQueue> queue, std::string name,
                                       std::vector<RecordType> types, base::Deadline deadline) {
  auto question = question_name(name);
  if (!question) {
    co_return std::vector<RawResult>(types.size(), std::unexpected(DnsError::NoSuchName));
  }
  if (deadline.passed()) {
    co_return std::vector<RawResult>(types.size(), std::unexpected(DnsError::Timeout));
  }
  Lookup lookup{std::move(*question), std::move(types), deadline.at, {}, {}};
  lookup.results.reserve(lookup.types.size());
  // `cut` belongs to this shard. The home shard reads a flag instead, at its next kExpiryTick.
  std::optional<base::Cut::Wait> wait;
  if (deadline.cut != nullptr) {
    auto cut = std::make_shared<std::atomic<bool>>(false);
    lookup.cut = cut;
    wait.emplace(deadline.cut, [cut = std::move(cut)] { *cut = true; });
  }
  auto start = [queue, lookup = std::move(lookup)](auto resume) mutable {
    lookup.answer = std::move(resume);
    asio::post(queue->home(), [queue, lookup = std::move(lookup)]() mutable {
      LookupQueue::add(queue, std::move(lookup));
    });
  };
  co_return co_await base::await_answer<std::vector<RawResult>>(std::move(start));
}

ports::Addresses addresses_in(ports::IpFamily family, const RawResult& answer) {
  if (!answer) return std::unexpected(answer.error());
  return select_addresses(family, answer->records);
}

}  // namespace

UnboundResolver::UnboundResolver(std::shared_ptr<LookupQueue> queue) : queue_(std::move(queue)) {}

std::expected<std::unique_ptr<UnboundResolver>, std::string> UnboundResolver::open(
    asio::io_context& home, const UnboundOptions& options) {
  LookupQueue::Context context(::ub_ctx_create(), &::ub_ctx_delete);
  if (!context) return std::unexpected("libunbound cannot be started");
  for (const auto& [name, value] : kSettings) {
    const int error = ::ub_ctx_set_option(context.get(), name, value);
    if (error != 0) return std::unexpected(problem(name, error));
  }
  const int refused =
      ::ub_ctx_set_option(context.get(), "outgoing-range:", questions_at_once().c_str());
  if (refused != 0) return std::unexpected(problem("outgoing-range", refused));
  for (const std::string& server : options.forward_to) {
    const int error = ::ub_ctx_set_fwd(context.get(), server.c_str());
    if (error != 0) return std::unexpected(problem(server, error));
  }
  if (options.trust_anchor) {
    const int error = ::ub_ctx_add_ta_file(context.get(), options.trust_anchor->c_str());
    if (error != 0) return std::unexpected(problem(options.trust_anchor->string(), error));
  }
  const int error = ::ub_ctx_async(context.get(), 1);  // 1: a thread, not a process
  if (error != 0) return std::unexpected(problem("libunbound", error));
  // Last, because this call makes libunbound apply its settings.
  if (options.world) {
    auto wrong = set_world(context.get(), *options.world);
    if (!wrong.empty()) return std::unexpected(std::move(wrong));
  }
  auto queue = std::make_shared<LookupQueue>(home, std::move(context));
  base::spawn_lasting(queue->home(), "dns", [queue] { return LookupQueue::watch(queue); });
  return std::unique_ptr<UnboundResolver>(new UnboundResolver(std::move(queue)));
}

UnboundResolver::~UnboundResolver() { stop(); }

std::optional<base::SteadyTime> UnboundResolver::last_outage() const {
  return queue_->last_bad_minute();
}

void UnboundResolver::stop() {
  asio::post(queue_->home(), [queue = queue_] { queue->close(); });
}

base::Task<std::expected<DnsAnswer<ports::MxHost>, DnsError>> UnboundResolver::mx(
    std::string domain, base::Deadline deadline) {
  const auto raw = co_await ask(queue_, std::move(domain), {RecordType::Mx}, deadline);
  const RawResult& answer = raw.front();
  if (!answer) co_return std::unexpected(answer.error());
  auto hosts = select_mx(answer->records);
  if (!hosts) co_return std::unexpected(hosts.error());
  co_return DnsAnswer<ports::MxHost>{std::move(*hosts), answer->secure, answer->ttl};
}

base::Task<std::expected<DnsAnswer<asio::ip::address>, DnsError>> UnboundResolver::addresses(
    std::string host, base::Deadline deadline) {
  const auto raw =
      co_await ask(queue_, std::move(host), {RecordType::Aaaa, RecordType::A}, deadline);
  const RawResult& aaaa = raw[0];
  const RawResult& a = raw[1];
  auto all = ports::joined_addresses(addresses_in(ports::IpFamily::V6, aaaa),
                                     addresses_in(ports::IpFamily::V4, a));
  if (!all) co_return std::unexpected(all.error());
  const bool secure = (!aaaa || aaaa->secure) && (!a || a->secure);
  const auto ttl = std::min(aaaa ? aaaa->ttl : a->ttl, a ? a->ttl : aaaa->ttl);
  co_return DnsAnswer<asio::ip::address>{std::move(*all), secure, ttl};
}

base::Task<std::expected<DnsAnswer<asio::ip::address>, DnsError>> UnboundResolver::addresses_of(
    std::string host, ports::IpFamily family, base::Deadline deadline) {
  const bool v6 = family == ports::IpFamily::V6;
  const auto raw =
      co_await ask(queue_, std::move(host), {v6 ? RecordType::Aaaa : RecordType::A}, deadline);
  const RawResult& answer = raw.front();
  if (!answer) co_return std::unexpected(answer.error());
  auto all = select_addresses(family, answer->records);
  if (!all) co_return std::unexpected(all.error());
  co_return DnsAnswer<asio::ip::address>{std::move(*all), answer->secure, answer->ttl};
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> UnboundResolver::names(
    asio::ip::address address, base::Deadline deadline) {
  const auto raw = co_await ask(queue_, reverse_name(address), {RecordType::Ptr}, deadline);
  const RawResult& answer = raw.front();
  if (!answer) co_return std::unexpected(answer.error());
  auto names = select_names(answer->records);
  if (!names) co_return std::unexpected(names.error());
  co_return DnsAnswer<std::string>{std::move(*names), answer->secure, answer->ttl};
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> UnboundResolver::txt(
    std::string name, base::Deadline deadline) {
  const auto raw = co_await ask(queue_, std::move(name), {RecordType::Txt}, deadline);
  const RawResult& answer = raw.front();
  if (!answer) co_return std::unexpected(answer.error());
  auto texts = select_txt(answer->records);
  if (!texts) co_return std::unexpected(texts.error());
  co_return DnsAnswer<std::string>{std::move(*texts), answer->secure, answer->ttl};
}

std::string unbound_version() { return ::ub_version(); }

}  // namespace relay::dns
