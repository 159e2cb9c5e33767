#include "tests/inbound/test_planner.hpp"

#include <stdexcept>
#include <string>

#include "relay/forward/policy.hpp"

namespace relay::inbound {

namespace {

forward::Alias alias(const std::string& local_part, const std::vector<std::string>& targets) {
  forward::Alias out;
  out.local_part = local_part;
  for (const std::string& target : targets) {
    out.targets.push_back(mail::Mailbox::parse(target).value());
  }
  return out;
}

forward::Policy test_settings() {
  forward::Policy out;
  out.hostname = "mx.example.org";
  out.domains.push_back(
      {mail::Domain::parse("example.org").value(),
       {alias("info", {"me@mail.example"}), alias("team", {"a@x.example", "b@y.example"})},
       {},
       {}});
  forward::Alias held = alias("held", {"me@mail.example"});
  held.dmarc.on_dmarc_fail = forward::OnDmarcFail::Hold;
  out.domains.front().aliases.push_back(held);
  forward::Alias noise = alias("noise", {});
  noise.discard = true;
  out.domains.front().aliases.push_back(noise);
  forward::Alias small = alias("small", {"s@mail.example"});
  small.max_size = 100;
  out.domains.front().aliases.push_back(small);
  forward::Alias help = alias("help", {"a@mail.example"});
  help.fallback = mail::Mailbox::parse("b@mail.example").value();
  out.domains.front().aliases.push_back(help);
  out.srs.domain = mail::Domain::parse("srs.example.org").value();
  out.srs.secrets.push_back({.id = "test", .secret = base::Secret(kTestSecret), .classic = true});
  return out;
}

}  // namespace

Policy test_policy_base() {
  static const auto kPlanner =
      forward::Planner::make(std::make_shared<const forward::Policy>(test_settings()));
  if (!kPlanner) throw std::runtime_error(kPlanner.error());
  Policy policy;
  policy.planner = *kPlanner;
  policy.loop_guard = forward::LoopGuard("mx.example.org");
  policy.max_awaiting = 20;
  return policy;
}

std::shared_ptr<const forward::Planner> marking_planner(mail::AliasMark mark) {
  auto settings = test_settings();
  settings.defaults.mark_alias = mark;
  return forward::Planner::make(std::make_shared<const forward::Policy>(settings)).value();
}

std::shared_ptr<const forward::Planner> consenting_planner(
    const std::vector<std::string>& confirmed) {
  auto settings = test_settings();
  auto targets = std::make_shared<forward::ConfirmedTargets>(settings.defaults.tag);
  for (const std::string& entry : confirmed) {
    if (entry.starts_with('@')) {
      targets->add(mail::Domain::parse(entry.substr(1)).value());
    } else {
      targets->add(mail::Mailbox::parse(entry).value());
    }
  }
  targets->seal();
  settings.consent.confirmed = std::move(targets);
  return forward::Planner::make(std::make_shared<const forward::Policy>(settings)).value();
}

}  // namespace relay::inbound
