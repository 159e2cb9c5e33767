#include "relay/mail/dsn_human.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "relay/mail/date.hpp"
#include "relay/mail/dsn_text.hpp"

namespace relay::mail {

namespace {

using Sections = std::vector<std::span<const DsnEntry>>;

Sections sections_of(std::span<const DsnEntry> entries) {
  Sections sections;
  while (!entries.empty()) {
    const auto end = std::ranges::find_if(
        entries, [&](const DsnEntry& entry) { return entry.section != entries.front().section; });
    const auto length = static_cast<std::size_t>(end - entries.begin());
    sections.push_back(entries.first(length));
    entries = entries.subspan(length);
  }
  return sections;
}

/// What became of the message at `addresses`.
std::string fate(DsnSection section, std::string_view addresses, bool hide_targets) {
  const bool failed = section == DsnSection::Failed || section == DsnSection::FailedInPart;
  const std::string_view verb = failed ? "could not be delivered" : "has not been delivered yet";
  if (section == DsnSection::Failed || section == DsnSection::Delayed) {
    return fmt::format("{} to {}", verb, addresses);
  }
  if (hide_targets) {
    return fmt::format("{} to one of several mailboxes behind {}", verb, addresses);
  }
  return fmt::format("{} to {}, to which an alias leads beside other mailboxes", verb, addresses);
}

/// What the result means for the sender; used when there is only one section.
std::string_view consequence(DsnSection section) {
  switch (section) {
    case DsnSection::Failed:
      return "It will not be tried again.";
    case DsnSection::FailedInPart:
      return "It will not be tried again there; this says nothing about the other mailboxes.";
    case DsnSection::Delayed:
      break;
    case DsnSection::DelayedInPart:
      return "You need not send it again: delivery will be tried further there; this says nothing "
             "about the other mailboxes.";
  }
  return "You need not send it again: delivery will be tried further.";
}

std::string_view heading(DsnSection section) {
  switch (section) {
    case DsnSection::Failed:
      return "Not delivered, and not tried again:";
    case DsnSection::FailedInPart:
      return "Not delivered to one of several mailboxes, and not tried again there:";
    case DsnSection::Delayed:
      break;
    case DsnSection::DelayedInPart:
      return "Not delivered yet to one of several mailboxes, and tried further there:";
  }
  return "Not delivered yet, and tried further, so that you need not send it again:";
}

std::string opening(const Sections& sections, const DsnRequest& request) {
  std::string text = request.sender ? fmt::format("The message from <{}>",
                                                  seven_bit_address(request.sender->to_string()))
                                    : std::string("Your message");
  if (sections.size() == 1) {
    const DsnSection section = sections.front().front().section;
    const bool one = sections.front().size() == 1;
    text += fmt::format(" {}. {}",
                        fate(section, one ? "the following address" : "the following addresses",
                             request.hide_targets),
                        consequence(section));
  } else {
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (i > 0) text += i + 1 == sections.size() ? ", and" : ",";
      text += ' ' + fate(sections[i].front().section, i == 0 ? "some addresses" : "others",
                         request.hide_targets);
    }
    text += '.';
  }
  if (request.sender) text += " The sender has not been told of this.";
  return wrapped(text, "") + "\r\n\r\n";
}

/// Until when attempts go on: the earliest time of the section, "at least" when the times differ.
std::string last_line(std::span<const DsnEntry> section) {
  std::optional<base::WallTime> first;
  bool all_the_same = true;
  for (const DsnEntry& entry : section) {
    if (!entry.retry_until) continue;
    all_the_same = all_the_same && (!first || *first == *entry.retry_until);
    first = first ? std::min(*first, *entry.retry_until) : entry.retry_until;
  }
  if (!first) return {};
  return fmt::format("Attempts go on {}until {}.\r\n\r\n", all_the_same ? "" : "at least ",
                     header_date(*first));
}

}  // namespace

std::string human_part(std::span<const DsnEntry> entries, const DsnRequest& request,
                       std::size_t part, std::size_t parts) {
  const Sections sections = sections_of(entries);
  std::string text = fmt::format("This is the mail system at {}.\r\n\r\n{}",
                                 request.reporting_host.text(), opening(sections, request));
  if (parts > 1) {
    text += wrapped(fmt::format("This is part {} of {}: the list of addresses is too long for one "
                                "message, and the other parts name others.",
                                part, parts),
                    "") +
            "\r\n\r\n";
  }
  for (const auto& section : sections) {
    if (sections.size() > 1) {
      text += fmt::format("{}\r\n\r\n", heading(section.front().section));
    }
    for (const DsnEntry& entry : section) text += entry.human;
    text += last_line(section);
  }
  return text + fmt::format("For questions to the postmaster, name the message id {}.\r\n",
                            request.original_id.to_string());
}

}  // namespace relay::mail
