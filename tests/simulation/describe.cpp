// A world in words.
#include <fmt/format.h>

#include "tests/simulation/campaign.hpp"

namespace relay::simulation {

namespace {

std::string_view word(Does what) {
  constexpr std::string_view kWords[] = {"replies",
                                         "says 421 and closes",
                                         "closes",
                                         "resets",
                                         "replies and closes",
                                         "takes and resets",
                                         "stays silent",
                                         "is slow",
                                         "drips",
                                         "stops reading",
                                         "breaks the content",
                                         "says more",
                                         "says no text"};
  return kWords[static_cast<std::size_t>(what)];
}

std::string mood_of(const Mood& mood) {
  std::string text = fmt::format("trip {} ms", mood.round_trip.count());
  const auto flag = [&text](bool shown, std::string_view word) {
    if (shown) text += fmt::format(", {}", word);
  };
  flag(!mood.pipelining, "no pipelining");
  flag(!mood.understands_ehlo, "HELO only");
  flag(!mood.enhanced_codes, "no enhanced codes");
  flag(mood.own_domains_only, "tenants only");
  flag(mood.demands_tls, "demands TLS");
  flag(mood.says_354_to_nobody, "354 to nobody");
  if (mood.tls != Tls::NotOffered) text += fmt::format(", tls {}", static_cast<int>(mood.tls));
  const auto limit = [&text](const Limit& one, std::string_view what) {
    if (one.most > 0) text += fmt::format(", {} {} ({} {})", one.most, what, one.code, one.status);
  };
  limit(mood.recipients, "recipients");
  limit(mood.messages, "messages");
  limit(mood.connections, "connections");
  if (mood.stated_recipients > 0) text += fmt::format(", RCPTMAX {}", mood.stated_recipients);
  if (mood.stated_messages > 0) text += fmt::format(", MAILMAX {}", mood.stated_messages);
  if (mood.errors > 0) text += fmt::format(", {} errors", mood.errors);
  if (mood.greylist.tries > 0) {
    text +=
        fmt::format(", greylist {} times {} s {} {}", mood.greylist.tries,
                    mood.greylist.delay.count() / 1000, mood.greylist.code, mood.greylist.status);
  }
  if (mood.idle.count() > 0) text += fmt::format(", idle {} s", mood.idle.count() / 1000);
  for (const Habit& habit : mood.habits) {
    text += fmt::format("; {}: {} {} {}, {} of 1000", name(habit.step), word(habit.what),
                        habit.code, habit.status, habit.per_mille);
    if (habit.span.count() > 0) text += fmt::format(", {} ms", habit.span.count());
  }
  return text;
}

}  // namespace

std::string describe(const World& world) {
  const Settings& settings = world.settings;
  std::string text = fmt::format(
      "seed {}, {} shards, {} connections ({} each), {} messages a connection, {} recipients, "
      "first retry {} s, expires {} s, limits {}/{}/{} s, well at {} ms\n",
      world.seed, world.shards, settings.connections_total, settings.connections_per_destination,
      settings.messages_per_connection, settings.recipients_per_transaction,
      settings.schedule.front().count(), settings.expire.count(), settings.command_limit.count(),
      settings.dot_limit.count(), settings.attempt_limit.count(), world.heals_at.count());
  if (world.read_errors > 0) {
    text += fmt::format("{} of 1000 reads of content fail\n", world.read_errors);
  }
  if (const auto& memory = settings.memory; memory.copies < delivery::MemoryLimits().copies) {
    text += fmt::format(
        "memory for {} copies and {} of the risk pool, {} of a lane, {} of each, {} octets\n",
        memory.copies, memory.risk_copies, memory.copies_per_lane, memory.guaranteed_copies,
        memory.fresh_octets);
  }
  for (std::size_t i = 0; i < world.hosts.size(); ++i) {
    const HostPlan& host = world.hosts[i];
    text += fmt::format("host {} {}: {}\n", i, host.name,
                        host.us == Us::No ? mood_of(host.mood) : "is us");
  }
  for (const DomainPlan& domain : world.domains) {
    text += fmt::format("domain {}{}{}:", domain.name, domain.by_route ? " by route" : "",
                        domain.dns == DomainPlan::Dns::Fine ? "" : " (no DNS)");
    for (const Exchange& exchange : domain.exchanges) {
      text += fmt::format(" {} host {},", exchange.preference, exchange.host);
    }
    for (const Exchange& exchange : domain.moves_to) {
      text += fmt::format(" later {} host {},", exchange.preference, exchange.host);
    }
    text += fmt::format(" {}, list for {} s{}\n", mail::name(domain.demand), domain.ttl.count(),
                        domain.silent ? ", silent" : "");
  }
  for (std::size_t i = 0; i < world.messages.size(); ++i) {
    const MessagePlan& message = world.messages[i];
    text += fmt::format("message {} at {} ms, arrival {}, {}{}:", i, message.at.count(),
                        static_cast<int>(message.arrival),
                        message.null_sender ? "null sender" : "a sender",
                        message.authenticated ? "" : " nobody vouches for");
    if (message.offered_after > milliseconds{0}) {
      text += fmt::format(" offered {} ms late:", message.offered_after.count());
    }
    for (const CopyPlan& copy : message.copies) {
      text += fmt::format(" {}@d{}{}{}", static_cast<char>(copy.kind), copy.domain,
                          copy.risk_pool ? " risk" : "", copy.held ? " held" : "");
    }
    text += '\n';
  }
  return text;
}

}  // namespace relay::simulation
