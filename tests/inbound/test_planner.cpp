#include "tests/inbound/test_planner.hpp"

#include <stdexcept>
#include <string>

namespace relay::inbound {

namespace {

settings::Alias alias(const std::string& local_part, const std::vector<std::string>& targets) {
  settings::Alias out;
  out.local_part = local_part;
  for (const std::string& target : targets) {
    out.targets.push_back(mail::Mailbox::parse(target).value());
  }
  return out;
}

settings::Settings test_settings() {
  settings::Settings out;
  out.hostname = "mx.example.org";
  out.domains.push_back(
      {mail::Domain::parse("example.org").value(),
       {alias("info", {"me@mail.example"}), alias("team", {"a@x.example", "b@y.example"})},
       {},
       {}});
  settings::Alias held = alias("held", {"me@mail.example"});
  held.dmarc.on_dmarc_fail = settings::OnDmarcFail::Hold;
  out.domains.front().aliases.push_back(held);
  out.srs.domain = mail::Domain::parse("srs.example.org").value();
  out.srs.secrets.push_back({"test", base::Secret("v7Qm2xWc9RtLz4HfJ8sNbYp3KdGa6EuX"), {}});
  return out;
}

}  // namespace

Policy test_policy_base() {
  static const auto kPlanner =
      forward::Planner::make(std::make_shared<const settings::Settings>(test_settings()));
  if (!kPlanner) throw std::runtime_error(kPlanner.error());
  Policy policy;
  policy.planner = *kPlanner;
  policy.loop_guard = forward::LoopGuard("mx.example.org");
  return policy;
}

std::shared_ptr<const forward::Planner> consenting_planner(
    const std::vector<std::string>& confirmed) {
  auto settings = test_settings();
  auto targets = std::make_shared<settings::ConfirmedTargets>(settings.defaults.tag);
  for (const std::string& entry : confirmed) {
    if (entry.starts_with('@')) {
      targets->add(mail::Domain::parse(entry.substr(1)).value());
    } else {
      targets->add(mail::Mailbox::parse(entry).value());
    }
  }
  targets->seal();
  settings.consent.confirmed = std::move(targets);
  return forward::Planner::make(std::make_shared<const settings::Settings>(settings)).value();
}

}  // namespace relay::inbound
