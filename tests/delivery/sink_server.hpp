// Mail servers that take everything, unless a test says otherwise, and remember it octet by octet,
// behind the port that dials them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/ports/stream.hpp"

namespace relay::delivery {

/// What one server heard on one connection.
struct HeardTransaction {
  std::string mail;  ///< the MAIL command
  std::vector<std::string> recipients;
  std::string content;  ///< dot-stuffing undone
};

struct HeardConnection {
  ports::Endpoint remote;
  std::optional<boost::asio::ip::address> source;
  std::vector<HeardTransaction> transactions;
};

/// The reply to a step (banner, EHLO, MAIL, RCPT, DATA, dot …), with line ends; nullopt: the usual
/// reply; "": it closes the connection. At "connect" any answer refuses.
using SinkPlan =
    std::function<std::optional<std::string>(const ports::Endpoint& remote, std::string_view step)>;

/// How a server behaves on one connection.
struct SinkManners {
  std::string rcpt_reply = "250 2.1.5 Ok\r\n";
  std::set<std::string> unknown = {};  ///< paths refused with 550
  std::size_t most_errors = 1000;      ///< RCPT behind so many refusals is answered 421
  bool offers_tls = false;
  SinkPlan plan = {};
};

class SinkStream final : public ports::Stream {
 public:
  SinkStream(std::shared_ptr<HeardConnection> heard, SinkManners manners)
      : heard_(std::move(heard)), manners_(std::move(manners)) {
    say("banner", "220 sink.example\r\n");
  }

  base::Task<std::expected<std::size_t, ports::IoError>> read_some(std::span<char> into,
                                                                   base::Deadline) override {
    if (closed_ || said_.empty()) co_return std::unexpected(ports::IoError::Closed);
    const std::size_t octets = said_.copy(into.data(), into.size());
    said_.erase(0, octets);
    co_return octets;
  }

  base::Task<std::expected<void, ports::IoError>> write(std::string_view octets,
                                                        base::Deadline) override {
    std::expected<void, ports::IoError> ok;
    if (closed_) co_return std::unexpected(ports::IoError::Closed);
    unread_ += octets;
    for (std::size_t end = unread_.find("\r\n"); end != std::string::npos;
         end = unread_.find("\r\n")) {
      hear(unread_.substr(0, end));
      unread_.erase(0, end + 2);
    }
    co_return ok;
  }

  void close() noexcept override { closed_ = true; }

  const ports::Endpoint& peer() const override { return heard_->remote; }

  const ports::Endpoint& local() const override { return heard_->remote; }

  std::optional<ports::TlsInfo> tls() const override { return std::nullopt; }

 private:
  /// Whether it gives the usual reply.
  bool say(std::string_view step, const std::string& usual) {
    const auto planned = manners_.plan ? manners_.plan(heard_->remote, step) : std::nullopt;
    if (planned && planned->empty()) closed_ = true;
    said_ += planned.value_or(usual);
    return !planned;
  }

  void hear(const std::string& line) {
    if (in_content_) return hear_content(line);
    const std::string step = line.substr(0, line.find(' '));
    if (step == "EHLO") {
      say(step, std::string("250-sink.example\r\n250-SIZE 0\r\n250-8BITMIME\r\n") +
                    (manners_.offers_tls ? "250-STARTTLS\r\n" : "") +
                    "250 ENHANCEDSTATUSCODES\r\n");
    } else if (step == "MAIL") {
      heard_->transactions.push_back({line, {}, {}});
      say(step, "250 2.1.0 Ok\r\n");
    } else if (step == "STARTTLS") {
      say(step, "220 2.0.0 Go on\r\n");
    } else if (step == "RCPT") {
      hear_recipient(line.substr(8));
    } else if (step == "DATA") {
      in_content_ = say(step, "354 Go on\r\n");
    } else {
      say(step, "250 2.0.0 Ok\r\n");
    }
  }

  void hear_recipient(const std::string& path) {
    heard_->transactions.back().recipients.push_back(path);
    if (errors_ >= manners_.most_errors) {
      say("RCPT", "421 4.7.0 Too many errors\r\n");
    } else if (manners_.unknown.contains(path)) {
      ++errors_;
      say("RCPT", "550 5.1.1 No such user\r\n");
    } else {
      say("RCPT", manners_.rcpt_reply);
    }
  }

  void hear_content(const std::string& line) {
    if (line == ".") {
      in_content_ = false;
      say("dot", "250 2.0.0 Taken\r\n");
    } else {
      heard_->transactions.back().content += line.substr(line.starts_with('.') ? 1 : 0) + "\r\n";
    }
  }

  std::shared_ptr<HeardConnection> heard_;
  SinkManners manners_;
  std::size_t errors_ = 0;
  std::string unread_;
  std::string said_;
  bool in_content_ = false;
  bool closed_ = false;
};

class SinkDialer final : public ports::Dialer {
 public:
  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> connect(
      ports::Endpoint remote, std::optional<boost::asio::ip::address> source,
      base::Deadline) override {
    connections.push_back(std::make_shared<HeardConnection>(remote, source));
    if (std::exchange(throws, false)) throw std::runtime_error("a defect in the dialer");
    if (fails_with) co_return std::unexpected(*fails_with);
    if (plan && plan(remote, "connect")) co_return std::unexpected(ports::IoError::Refused);
    SinkManners manners{.rcpt_reply = rcpt_reply,
                        .unknown = unknown,
                        .most_errors = most_errors,
                        .offers_tls = tls_fails_with.has_value(),
                        .plan = plan};
    std::unique_ptr<ports::Stream> stream =
        std::make_unique<SinkStream>(connections.back(), std::move(manners));
    co_return stream;
  }

  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> start_tls(
      std::unique_ptr<ports::Stream>, std::string, mail::TlsDemand, base::Deadline) override {
    co_return std::unexpected(tls_fails_with.value_or(ports::TlsError{}));
  }

  /// All that was received, in the order of the connections.
  std::vector<HeardTransaction> transactions() const {
    std::vector<HeardTransaction> all;
    for (const auto& one : connections) {
      all.insert(all.end(), one->transactions.begin(), one->transactions.end());
    }
    return all;
  }

  std::vector<std::shared_ptr<HeardConnection>> connections;
  std::optional<ports::IoError> fails_with;       ///< every connection from now on
  std::optional<ports::TlsError> tls_fails_with;  ///< TLS is offered, and ends so
  bool throws = false;                            ///< the next connection, and no other
  // Of connections made from now on, see SinkManners.
  std::string rcpt_reply = "250 2.1.5 Ok\r\n";
  std::set<std::string> unknown;
  std::size_t most_errors = 1000;
  SinkPlan plan;
};

}  // namespace relay::delivery
