#include "tests/inbound/house.hpp"

#include <utility>

#include "tests/inbound/test_planner.hpp"

namespace relay::inbound {

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
      services{
          clock,    queue,  tokens, consent, signer,  resolver, feed,  with_tls ? &tls : nullptr,
          log,      policy, memory, bounces, resends, refusals, waste, handshakes,
          watchdog, abuse},
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
