#include "relay/forward/confirmed_targets.hpp"

#include <bit>
#include <functional>

#include "relay/mail/folding.hpp"

namespace relay::forward {

void ConfirmedTargets::append(std::string_view entry) {
  begins_.push_back(static_cast<std::uint32_t>(text_.size()));
  text_ += entry;
}

void ConfirmedTargets::add(const mail::Mailbox& target) {
  append(mail::folded_local_part(target.local_part()));
  text_ += '@';
  text_ += target.domain().folded();
}

void ConfirmedTargets::add(const mail::Domain& domain) {
  append("@");
  text_ += domain.folded();
}

std::string_view ConfirmedTargets::entry(std::size_t index) const {
  const std::size_t end = index + 1 < begins_.size() ? begins_[index + 1] : text_.size();
  return std::string_view(text_).substr(begins_[index], end - begins_[index]);
}

std::size_t ConfirmedTargets::first_slot(std::string_view entry) const {
  return std::hash<std::string_view>{}(entry) & (slots_.size() - 1);
}

void ConfirmedTargets::seal() {
  slots_.assign(std::bit_ceil(begins_.size() * 2 + 1), 0);
  for (std::size_t i = 0; i < begins_.size(); ++i) {
    std::size_t slot = first_slot(entry(i));
    // An entry that is there twice gets only one slot.
    while (slots_[slot] != 0 && entry(slots_[slot] - 1) != entry(i)) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

bool ConfirmedTargets::contains(std::string_view wanted) const {
  if (slots_.empty()) return false;
  for (std::size_t slot = first_slot(wanted); slots_[slot] != 0;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (entry(slots_[slot] - 1) == wanted) return true;
  }
  return false;
}

std::string ConfirmedTargets::awaited(const mail::Mailbox& target) const {
  const std::string domain = '@' + target.domain().folded();
  const std::string local = mail::folded_local_part(target.local_part());
  // Searches the tag in the local part only: a quoted local part may contain an "@".
  const std::size_t tag = tag_ == '\0' ? std::string::npos : local.find(tag_, 1);
  std::string whole = local.substr(0, tag) + domain;
  const bool confirmed =
      contains(whole) || contains(domain) || (tag != std::string::npos && contains(local + domain));
  return confirmed ? std::string() : whole;
}

}  // namespace relay::forward
