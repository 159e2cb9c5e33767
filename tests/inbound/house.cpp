#include "tests/inbound/house.hpp"

#include <algorithm>
#include <utility>

#include "tests/inbound/test_planner.hpp"

namespace relay::inbound {

using ports::SpoolError;

base::Task<std::expected<void, SpoolError>> RecordingSpool::append(mail::MessageId draft,
                                                                   std::uint32_t,
                                                                   std::string chunk) {
  if (append_error) co_return std::unexpected(*append_error);
  if (chunk.size() != kChunkOctets) co_return std::unexpected(SpoolError::Corrupt);
  drafts[draft] += chunk;
  std::expected<void, SpoolError> ok;
  co_return ok;
}

void RecordingSpool::discard(mail::MessageId draft) noexcept {
  discarded += static_cast<int>(drafts.erase(draft));
}

base::Task<std::expected<ports::CommitProof, SpoolError>> RecordingSpool::commit(
    ports::NewMessage message) {
  if (on_commit) on_commit();
  if (commit_error) co_return std::unexpected(*commit_error);
  const mail::MessageId id = message.message.id;
  const auto draft = drafts.find(id);
  std::string content = draft == drafts.end() ? std::string() : draft->second;
  const std::size_t chunks = content.size() / kChunkOctets;
  content += message.last_chunk;
  stored.push_back({std::move(message), std::move(content), chunks});
  if (draft != drafts.end()) drafts.erase(draft);
  co_return proof_of(id);
}

base::Task<std::expected<mail::ReversePath, SpoolError>> RecordingSpool::find_token(
    std::string token, base::WallTime) {
  if (token_error) co_return std::unexpected(*token_error);
  const auto found = tokens.find(token);
  if (found == tokens.end()) co_return std::unexpected(SpoolError::NotFound);
  co_return found->second;
}

base::Task<std::expected<std::uint64_t, SpoolError>> RecordingSpool::awaiting(
    std::vector<std::string> addresses) {
  std::uint64_t most = 0;
  for (const std::string& address : addresses) {
    std::uint64_t count = 0;
    for (const Stored& one : stored) {
      count += static_cast<std::uint64_t>(
          std::ranges::count(one.message.routes, address, &mail::Route::awaits));
    }
    most = std::max(most, count);
  }
  co_return most;
}

base::Task<std::expected<std::uint64_t, SpoolError>> RecordingSpool::release(
    std::vector<ports::AwaitingCopy> copies, base::WallTime) {
  released.insert(released.end(), copies.begin(), copies.end());
  co_return copies.size();
}

base::Task<std::expected<std::vector<ports::AwaitingCopy>, SpoolError>>
RecordingSpool::awaiting_copies(std::optional<ports::AwaitingCopy>, std::size_t) {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<std::vector<ports::RememberedMessage>, SpoolError>>
RecordingSpool::accepted_since(base::WallTime, std::size_t) {
  co_return std::vector<ports::RememberedMessage>();
}

base::Task<std::expected<mail::QueuedMessage, SpoolError>> RecordingSpool::load(mail::MessageId) {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<std::string, SpoolError>> RecordingSpool::read(mail::MessageId,
                                                                        std::uint32_t) {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<void, SpoolError>> RecordingSpool::record(ports::Update) {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<std::vector<mail::QueueItem>, SpoolError>> RecordingSpool::due(
    base::WallTime, std::optional<ports::QueueCursor>, std::size_t) {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<std::optional<base::WallTime>, SpoolError>> RecordingSpool::next_due(
    base::WallTime) {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<std::vector<ports::QueueRow>, SpoolError>> RecordingSpool::list(
    ports::QueueFilter, std::optional<ports::QueueCursor>, std::size_t) {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<std::vector<ports::AttemptRow>, SpoolError>> RecordingSpool::attempts(
    mail::MessageId) {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<std::uint64_t, SpoolError>> RecordingSpool::change(ports::QueueFilter,
                                                                            ports::QueueAction,
                                                                            base::WallTime) {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<ports::QueueTotals, SpoolError>> RecordingSpool::totals() {
  co_return std::unexpected(SpoolError::NotFound);
}

base::Task<std::expected<ports::Signatures, ports::SignError>> FixedSigner::sign(
    ports::SignRequest request) {
  if (fails) co_return std::unexpected(ports::SignError::CryptoFailed);
  ports::Signatures signatures{.dkim_fields = signature};
  if (request.seal) signatures.arc_fields = seal;
  requests.push_back(std::move(request));
  co_return signatures;
}

namespace {

std::shared_ptr<const Policy> test_policy(Limits limits) {
  auto policy = std::make_shared<Policy>(test_policy_base());
  policy->hostname = "mx.example.org";
  policy->limits = limits;
  policy->offer_starttls = true;
  return policy;
}

}  // namespace

House::House(Limits limits, bool with_tls)
    : policy(test_policy(limits)),
      services{clock, spool,      signer,   resolver, feed,    with_tls ? &tls : nullptr,
               log,   policy,     budget,   bounces,  resends, refusals,
               waste, handshakes, watchdog, abuse},
      acceptor(services) {}

void House::verify(std::string_view zone) {
  auto verifying = std::make_shared<Policy>(*policy.get());
  verifying->check =
      std::make_shared<const auth::CheckOptions>(auth::CheckOptions{.receiver = "mx.example.org"});
  verifying->authserv_id = "mx.example.org";
  resolver.replace_zone(zone);
  policy.publish(std::move(verifying));
}

std::shared_ptr<fakes::Wire> House::dial(std::vector<std::string> segments,
                                         const std::string& peer) {
  auto wire = std::make_shared<fakes::Wire>();
  for (std::string& segment : segments) wire->incoming.push_back(std::move(segment));
  acceptor.admit(std::make_unique<fakes::ScriptedStream>(wire, peer), io.get_executor());
  return wire;
}

std::shared_ptr<fakes::Wire> House::talk(std::vector<std::string> segments) {
  auto wire = dial(std::move(segments));
  poll();
  return wire;
}

std::vector<std::string> envelope_and(std::vector<std::string> content) {
  std::vector<std::string> out{"EHLO client.example\r\n", "MAIL FROM:<ann@sender.example>\r\n",
                               "RCPT TO:<info@example.org>\r\n", "DATA\r\n"};
  for (std::string& segment : content) out.push_back(std::move(segment));
  return out;
}

}  // namespace relay::inbound
