// Whose mail is put off or refused before it is read: [[dns_list]], [abuse], [greylist], [rates].
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/rate_table.hpp"

namespace relay::settings {

using std::chrono::seconds;

/// Both ends included, in host order; within 127.0.0.0/8.
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
};

struct Greylist {
  bool enabled = false;
  seconds delay{300};
  seconds retry_window{2 * 86'400};
  seconds remember{36 * 86'400};
  std::uint32_t trusted_after = 5;  ///< times a network has to pass
  base::Rate new_per_network{.count = 1000, .span = seconds(3600)};  ///< noted; 0: no limit
};

/// Messages, if nothing else is said; a count of 0: no limit.
struct Rates {
  base::Rate per_client;
  base::Rate per_network;
  base::Rate per_alias;
  base::Rate per_sender_domain;
  base::Rate per_signature;  ///< copies of what one DKIM signature covers
  base::Rate per_target;     ///< copies to one mailbox that aliases lead to
  base::Rate unknown;        ///< unknown recipients, from a network
};

}  // namespace relay::settings
