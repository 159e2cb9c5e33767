#include "relay/inbound/message_rates.hpp"

#include <string_view>

#include "relay/mail/address.hpp"

namespace relay::inbound {

namespace {

std::string domain_of(const std::string& path) {
  const std::size_t at = path.rfind('@');
  return at == std::string::npos ? std::string() : path.substr(at + 1);
}

/// The key of one DKIM signature; "" if it did not pass and is not counted. The head of b= has 48
/// bits, enough to tell a signer's own signatures apart; only the signer can make one that passes.
std::string key_of(const mail::DkimVerdict& signature) {
  if (signature.result != mail::DkimResult::Pass) return {};
  return signature.domain + ' ' + signature.selector + ' ' + signature.signature_head;
}

}  // namespace

std::optional<smtp::Reply> MessageRates::take(const Admission& admission, const RatePolicy& policy,
                                              base::SteadyTime now) {
  struct Limit {
    base::RateTable& table;
    const base::Rate& rate;
    std::string key;  ///< "": this limit does not apply
    int code;
    std::string_view text;
  };

  std::vector<Limit> limits = {
      Limit{clients_, policy.per_client, admission.first ? admission.origin.client : "", 450,
            "Too many messages from your address, try again later"},
      Limit{aliases_, policy.per_alias,
            admission.is_bounce ? "" : mail::without_tag(admission.forward_path, policy.tag), 451,
            "Too many messages to this address, try again later"}};
  for (const std::string& target : admission.targets) {
    limits.push_back({targets_, policy.per_target, admission.is_bounce ? "" : target, 451,
                      "Too many messages to a target of this address, try again later"});
  }
  const auto applies = [](const Limit& limit) {
    return limit.rate.count > 0 && !limit.key.empty();
  };
  const bool counts_for_network = admission.first && policy.per_network.count > 0;
  // Ask all limits before charging any: a client over one limit must not use up the others.
  for (const Limit& limit : limits) {
    if (applies(limit) && !limit.table.allows(limit.key, limit.rate, now)) {
      return smtp::Reply(limit.code, {4, 7, 1}, limit.text);
    }
  }
  if (counts_for_network && !networks_.take(admission.origin, policy.per_network, now)) {
    return smtp::Reply(450, {4, 7, 1}, "Too many messages from your network, try again later");
  }
  for (const Limit& limit : limits) {
    if (applies(limit)) limit.table.take(limit.key, limit.rate, now);
  }
  return std::nullopt;
}

std::optional<smtp::Reply> MessageRates::take_sender(const std::string& reverse_path,
                                                     const base::Origin* claimed_from,
                                                     const RatePolicy& policy,
                                                     base::SteadyTime now) {
  const base::Rate& rate = policy.per_sender_domain;
  const std::string domain = domain_of(reverse_path);
  if (rate.count == 0 || domain.empty()) return std::nullopt;
  base::Origin key{.client = {}, .network = domain, .wider = {}};
  if (claimed_from != nullptr) {
    key.network += ' ' + claimed_from->network;
    if (!claimed_from->wider.empty()) key.wider = domain + ' ' + claimed_from->wider;
  }
  if (sender_domains_.take(key, rate, now)) return std::nullopt;
  return smtp::Reply(451, {4, 7, 1}, "Too many messages from this sender domain, try again later");
}

std::optional<smtp::Reply> MessageRates::take_signed(
    const std::vector<mail::DkimVerdict>& signatures, std::size_t copies, const RatePolicy& policy,
    base::SteadyTime now) {
  const base::Rate& rate = policy.per_signature;
  if (rate.count == 0) return std::nullopt;
  // Count all signatures (the verifier bounds their number): a replayer can add its own around the
  // one that it replays.
  for (const mail::DkimVerdict& signature : signatures) {
    const std::string key = key_of(signature);
    if (!key.empty() && !signatures_.allows(key, rate, now)) {
      return smtp::Reply(
          451, {4, 7, 1},
          "Too many copies under one DKIM signature of " + signature.domain + ", try again later");
    }
  }
  for (const mail::DkimVerdict& signature : signatures) {
    const std::string key = key_of(signature);
    if (!key.empty()) signatures_.charge(key, rate, now, static_cast<double>(copies));
  }
  return std::nullopt;
}

std::optional<smtp::Reply> MessageRates::objection_to_guessing(const base::Origin& origin,
                                                               const RatePolicy& policy,
                                                               base::SteadyTime now) {
  if (policy.unknown.count == 0 || unknown_.allows(origin, policy.unknown, now)) {
    return std::nullopt;
  }
  return smtp::Reply(450, {4, 7, 1}, "Too many unknown recipients from your network");
}

void MessageRates::note_unknown(const base::Origin& origin, const RatePolicy& policy,
                                base::SteadyTime now) {
  if (policy.unknown.count > 0) unknown_.take(origin, policy.unknown, now);
}

std::size_t MessageRates::size() const {
  return clients_.size() + networks_.size() + aliases_.size() + sender_domains_.size() +
         signatures_.size() + targets_.size() + unknown_.size();
}

}  // namespace relay::inbound
