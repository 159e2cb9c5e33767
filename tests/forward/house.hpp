// The relay of the strategy tests: mx.relay.example forwards for hosted.example, rewrites senders
// to srs.relay.example, signs as relay.example, seals, and may rewrite From to rewritten.example.
#pragma once

#include "relay/forward/policy.hpp"
#include "relay/forward/strategy.hpp"
#include "tests/support/mailbox.hpp"

namespace relay::forward::house {

mail::Domain domain(const std::string& text);
using support::mailbox;

Policy policy();

/// Public suffixes of these tests: of registries "example" and "co.example"; "pages.example" is
/// that of somebody who lets customers register below.
std::string organisation_of(const std::string& folded_domain, Suffixes suffixes = Suffixes::All);

Strategy strategy(const Policy& policy);

/// bounce@author.example wrote as author.example, SPF and DKIM aligned, DMARC passes.
Evidence evidence();

/// As evidence(), but SPF failed and nothing was signed; DMARC fails with this policy.
Evidence spoof(const std::string& author, mail::DmarcPolicy policy);

}  // namespace relay::forward::house
