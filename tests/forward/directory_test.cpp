// Who is behind an address of ours: at RCPT, in MAIL FROM, and with what was stored under a token.
#include "relay/forward/directory.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "relay/forward/policy.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using house::mailbox;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};
const mail::MessageId kMessage = mail::MessageId::make(kNow, {1});
const std::string kClient = "192.0.2.7";
const SenderRewrite::Occasion kOccasion{.message = kMessage, .client = kClient, .now = kNow};

Directory directory_of(const Policy& policy) {
  return *Directory::make(std::make_shared<const Policy>(policy));
}

/// The address under which mail of this sender leaves.
mail::Mailbox srs_address(const Directory& directory, const std::string& sender) {
  return directory.senders().rewrite(mailbox(sender), kOccasion).reverse_path.mailbox();
}

/// The same with another tag.
mail::Mailbox forged(const mail::Mailbox& address) {
  std::string local = address.local_part();
  char& first_of_tag = local.at(5);
  first_of_tag = first_of_tag == 'a' ? 'b' : 'a';
  return *mail::Mailbox::make(local, address.domain());
}

/// Targets and discards joined by blanks, or the refusal.
std::string text_of(const Resolution& found) {
  if (const auto* refused = std::get_if<Rejection>(&found)) {
    return fmt::format("{} {}", refused->code, refused->status.to_string());
  }
  if (std::holds_alternative<TokenLookup>(found)) return "token";
  const auto& taken = std::get<ResolvedRecipient>(found);
  std::string text = taken.is_bounce ? "bounce" : "mail";
  for (const auto& target : taken.targets) text += ' ' + target.to_string();
  for (const auto& discard : taken.discards) text += " -" + discard.to_string();
  return text;
}

std::string answer(const Directory& directory, const mail::Mailbox& address,
                   std::chrono::hours later = {}) {
  return text_of(directory.resolve(mail::ForwardPath(address), kNow + later));
}

/// Whom the sender stands for, or the refusal.
std::string behind(const Directory& directory, const mail::Mailbox& sender,
                   std::chrono::hours later = {}) {
  const auto found = directory.sender_behind(mail::ReversePath(sender), kNow + later);
  if (!found) return fmt::format("{} {}", found.error().code, found.error().status.to_string());
  if (std::holds_alternative<TokenLookup>(found->sender)) return "token";
  return std::get<mail::ReversePath>(found->sender).to_string();
}

TEST(Directory, LeadsBackToTheSenderAsOftenAsAskedUntilTheAddressIsTooOld) {
  const Directory directory = directory_of(house::policy());
  const mail::Mailbox address = srs_address(directory, "ann@sender.example");
  for (const auto days : {0, 1, 20, 1, 0}) {
    const std::chrono::hours later = std::chrono::days(days);
    EXPECT_EQ(answer(directory, address, later), "bounce ann@sender.example") << days;
    EXPECT_EQ(behind(directory, address, later), "ann@sender.example") << days;
  }
  EXPECT_EQ(answer(directory, address, std::chrono::days(23)), "550 5.1.8");
  EXPECT_EQ(behind(directory, address, std::chrono::days(23)), "550 5.7.1");
}

/// The client cannot tell from the reply whether it has guessed a tag; the limits on guesses can.
TEST(Directory, SaysOfAWrongTagWhatItSaysOfAnOldOne) {
  const Directory directory = directory_of(house::policy());
  const mail::Mailbox address = srs_address(directory, "ann@sender.example");
  const auto refusal = [&](const mail::Mailbox& asked, std::chrono::hours later) {
    return std::get<Rejection>(directory.resolve(mail::ForwardPath(asked), kNow + later));
  };
  const Rejection wrong = refusal(forged(address), {});
  const Rejection old = refusal(address, std::chrono::days(23));
  EXPECT_EQ(wrong.code, old.code);
  EXPECT_EQ(wrong.status, old.status);
  EXPECT_EQ(wrong.text, old.text);
  EXPECT_TRUE(wrong.bad_bounce_address);
  EXPECT_FALSE(old.bad_bounce_address);
  EXPECT_EQ(answer(directory, address), "bounce ann@sender.example") << "it is as good as before";
}

TEST(Directory, CompletesATokenWithWhatWasStored) {
  const Directory directory = directory_of(house::policy());
  const std::string sender = std::string(200, 'a') + "@sender.example";
  const mail::Mailbox address = srs_address(directory, sender);
  EXPECT_EQ(answer(directory, address), "token");
  EXPECT_EQ(behind(directory, address), "token");
  const auto completed = [&](const mail::ReversePath& stored) {
    return text_of(directory.resolve_token(mail::ForwardPath(address), stored, kNow));
  };
  EXPECT_EQ(completed(mail::ReversePath(mailbox(sender))), "bounce " + sender);
  // A sender in a domain of ours may have an alias: the bounce follows it.
  EXPECT_EQ(completed(mail::ReversePath(mailbox("info@hosted.example"))),
            "bounce me@target.example");
  // What would lead to nobody, or in a circle.
  EXPECT_EQ(completed(mail::ReversePath::null()), "550 5.1.8");
  EXPECT_EQ(completed(mail::ReversePath(mailbox("root@localhost"))), "550 5.1.8");
  EXPECT_EQ(completed(mail::ReversePath(srs_address(directory, "ann@sender.example"))),
            "550 5.1.8");
}

TEST(Directory, TakesWhatComesBackToASenderWhomNobodyCanAnswer) {
  const Directory directory = directory_of(house::policy());
  const mail::Mailbox address = directory.senders().unanswerable(kOccasion).mailbox();
  EXPECT_EQ(answer(directory, address), "bounce -" + address.to_string());
  EXPECT_EQ(behind(directory, address), address.to_string()) << "copies get such an address again";
  EXPECT_EQ(answer(directory, forged(address)), "550 5.1.8");
}

/// Its own aliases come first in the SRS domain; only what looks like an SRS address is one then.
TEST(Directory, KeepsAliasesAndSrsAddressesOfOneDomainApart) {
  Policy policy = house::policy();
  const mail::Mailbox help = mailbox("help@srs.relay.example");
  const mail::Mailbox ghost = mailbox("ghost@srs.relay.example");
  const Directory apart = directory_of(policy);
  EXPECT_TRUE(apart.is_bounce_address(mail::ForwardPath(ghost)));
  EXPECT_EQ(behind(apart, help), "550 5.7.1") << "no sender but an SRS address is in that domain";
  policy.domains.push_back(
      {.name = house::domain("srs.relay.example"),
       .aliases = {{.local_part = "help", .targets = {mailbox("ops@target.example")}}},
       .patterns = {},
       .map_to = {}});
  const Directory shared = directory_of(policy);
  EXPECT_EQ(answer(shared, help), "mail ops@target.example");
  EXPECT_EQ(behind(shared, help), help.to_string());
  EXPECT_FALSE(shared.is_bounce_address(mail::ForwardPath(ghost)));
  EXPECT_EQ(answer(shared, ghost), "550 5.1.1");
  const mail::Mailbox address = srs_address(shared, "ann@sender.example");
  EXPECT_TRUE(shared.is_bounce_address(mail::ForwardPath(address)));
  EXPECT_EQ(answer(shared, address), "bounce ann@sender.example");
}

TEST(Directory, WaitsForNobodyWhoHasWrittenBefore) {
  Policy policy = house::policy();
  auto confirmed = std::make_shared<ConfirmedTargets>('+');
  confirmed->seal();
  policy.consent.confirmed = std::move(confirmed);
  const Directory directory = directory_of(policy);
  const auto awaited = [&](const mail::Mailbox& address) {
    return directory.awaited(
        std::get<ResolvedRecipient>(directory.resolve(mail::ForwardPath(address), kNow)));
  };
  EXPECT_EQ(awaited(mailbox("info@hosted.example")), std::vector<std::string>{"me@target.example"});
  EXPECT_TRUE(awaited(srs_address(directory, "ann@sender.example")).empty());
  const Directory trusting = directory_of(house::policy());
  EXPECT_EQ(trusting.awaited(mailbox("me@target.example")), "");
}

}  // namespace
}  // namespace relay::forward
