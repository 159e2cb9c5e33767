// Settings by which mail is put off or refused before it is read: [[dns_list]], [abuse],
// [greylist], [rates].
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/rate_table.hpp"

namespace relay::settings {

using std::chrono::seconds;

/// Answers of a DNS list that count: from first to last, both included, in host byte order; within
/// 127.0.0.0/8.
struct AnswerRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

struct DnsList {
  std::string zone;  ///< folded
  bool allows = false;
  std::uint32_t weight = 10;
  std::vector<AnswerRange> answers;  ///< none: every answer counts
};

enum class DnsListStage { Connect, Recipient };

struct Abuse {
  std::uint32_t dns_list_refuse = 10;
  DnsListStage dns_list_at = DnsListStage::Recipient;

  friend bool operator==(const Abuse&, const Abuse&) = default;
};

struct Greylist {
  bool enabled = false;
  seconds delay{300};
  seconds retry_window{2 * 86'400};
  seconds remember{36 * 86'400};
  std::uint32_t trusted_after = 5;  ///< visits of a network that must pass
  base::Rate new_per_network{.count = 1000, .span = seconds(3600)};  ///< stored; 0: no limit

  friend bool operator==(const Greylist&, const Greylist&) = default;
};

/// Limits on numbers of messages, unless noted otherwise; a count of 0: no limit.
struct Rates {
  base::Rate per_client;
  base::Rate per_network;
  base::Rate per_alias;
  base::Rate per_sender_domain;
  base::Rate per_signature;  ///< copies of the content that one DKIM signature covers
  base::Rate per_target;     ///< copies to one target mailbox
  base::Rate unknown;        ///< unknown recipients, per network

  friend bool operator==(const Rates&, const Rates&) = default;
};

}  // namespace relay::settings
