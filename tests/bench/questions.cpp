// How many questions the DNS is asked about one message of each of the senders in
// data/large_senders.txt, by record type. Nothing is timed. A name that SPF of MAIL FROM and of
// HELO share is asked about once.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "relay/auth/message_check.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

namespace {

using namespace relay;

struct Sender {
  std::string name, mail_from, from, helo, zone;
  std::vector<std::string> fields;  ///< signatures and seals, which need not be valid
};

std::string signature(const std::string& domain, const std::string& selector) {
  return fmt::format(
      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={}; s={}; h=from; "
      "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n",
      domain, selector);
}

/// Sets of one sealer, the newest on top.
std::string seals(const std::string& domain, const std::string& selector, int sets) {
  std::string text;
  for (int i = sets; i > 0; --i) {
    text += fmt::format(
        "ARC-Seal: i={0}; a=rsa-sha256; d={1}; s={2}; cv={3}; b=AAAA\r\n"
        "ARC-Message-Signature: i={0}; a=rsa-sha256; c=relaxed/relaxed; d={1}; s={2}; h=from; "
        "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
        "ARC-Authentication-Results: i={0}; mx.example; dmarc=pass\r\n",
        i, domain, selector, i == 1 ? "none" : "pass");
  }
  return text;
}

class Senders {
 public:
  explicit Senders(std::istream& text) {
    for (std::string line; std::getline(text, line);) {
      std::istringstream words(line);
      std::string first;
      words >> first;
      if (first.empty() || first.front() == '#') continue;
      if (first == "zone") {
        current_ = &common_;
      } else if (first == "sender") {
        current_ = &all_.emplace_back();
        current_->name = line.substr(first.size() + 1);
      } else if (first == "end") {
        current_ = nullptr;
      } else if (current_ != nullptr) {
        read(first, words, line);
      }
    }
  }

  const std::vector<Sender>& all() const { return all_; }

  const std::string& common_zone() const { return common_.zone; }

 private:
  void read(const std::string& first, std::istringstream& words, const std::string& line) {
    std::string domain;
    std::string selector;
    int sets = 0;
    if (first == "mail_from") {
      words >> current_->mail_from;
    } else if (first == "from") {
      words >> current_->from;
    } else if (first == "helo") {
      words >> current_->helo;
    } else if (first == "dkim") {
      words >> domain >> selector;
      current_->fields.push_back(signature(domain, selector));
    } else if (first == "arc") {
      words >> domain >> selector >> sets;
      current_->fields.push_back(seals(domain, selector, sets));
    } else {
      current_->zone += line + '\n';
    }
  }

  std::vector<Sender> all_;
  Sender common_;
  Sender* current_ = nullptr;
};

base::Task<auth::CheckResult> check(const Sender& sender, ports::Resolver& resolver,
                                    ports::Clock& clock, base::Executor executor) {
  auto options = std::make_shared<auth::CheckOptions>();
  options->receiver = "mx.fwd.example";
  options->egress = {boost::asio::ip::make_address("203.0.113.77"),
                     boost::asio::ip::make_address("2001:db8::77")};
  auth::MessageCheck one(resolver, clock, std::move(executor), std::move(options),
                         {boost::asio::ip::make_address("192.0.2.7"), sender.helo,
                          *mail::parse_reverse_path('<' + sender.mail_from + '>')});
  std::string block;
  for (const std::string& field : sender.fields) block += field;
  const mail::Header header(block + "From: <" + sender.from + ">\r\nSubject: x\r\n");
  auth::dkim::BodyHashes hashes;
  one.on_header(header, hashes);
  hashes.finish();
  co_return co_await one.finish(hashes);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: questions FILE\n";
    return 2;
  }
  std::ifstream file(arguments[1]);
  const Senders senders(file);
  if (senders.all().empty()) {
    std::cerr << "questions: no senders in " << arguments[1] << '\n';
    return 2;
  }
  std::size_t most = 0;
  std::size_t all = 0;
  std::cout << fmt::format("{:32} {:>5} {:>8} {:>5} {:>5} {:>5} {:>5}   SPF of MAIL FROM\n", "",
                           "all", "distinct", "TXT", "A", "MX", "PTR");
  for (const Sender& sender : senders.all()) {
    fakes::FakeClock clock;
    fakes::FakeResolver resolver(clock, senders.common_zone() + sender.zone);
    boost::asio::io_context io;
    const auto found = support::run_task(io, check(sender, resolver, clock, io.get_executor()));
    std::map<std::string, std::size_t> by_type;
    const auto calls = resolver.calls();
    for (const std::string& call : calls) ++by_type[call.substr(0, call.find(' '))];
    const std::size_t names = by_type["ptr"];
    const std::size_t others = calls.size() - by_type["txt"] - by_type["mx"] - names;
    const std::size_t distinct = std::set<std::string>(calls.begin(), calls.end()).size();
    std::cout << fmt::format("{:32} {:5} {:8} {:5} {:5} {:5} {:5}   {}\n", sender.name,
                             calls.size(), distinct, by_type["txt"], others, by_type["mx"], names,
                             mail::name_of(found.verdicts.mail_from.result));
    most = std::max(most, calls.size());
    all += calls.size();
  }
  std::cout << fmt::format(
      "{} senders: {:.1f} questions a message, {} at most\n", senders.all().size(),
      static_cast<double>(all) / static_cast<double>(senders.all().size()), most);
  return 0;
}
