// Sends messages to a server on loopback, at a rate that does not care whether the server keeps up,
// or as fast as it goes, and says how long each took from the dot to its 250. JSON on stdout.
//
//   load PORT --rate R --seconds S      open loop: R messages a second are due, come what may
//   load PORT --messages N              closed loop: each connection sends when it has an answer
//   [--connections 20] [--kept] [--starttls] [--size 4096] [--content FILE] [--sender PATH]
//   [--recipients N [--prefix a] [--in-order]]
//
// FILE holds the content with CRLF and ready for the wire. With --recipients the mail goes to
// a0@fwd.test … in an order without pattern, or one after the other; otherwise to user@fwd.test. A
// field in front says when the message was sent, for the sink to tell how long it was under way.
//
// Latency is taken from the dot, which is what a server can answer for; `lateness` is how long a
// message waited for a free connection after it was due. A server that falls behind shows it there.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <deque>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "tests/bench/channel.hpp"
#include "tests/bench/load_options.hpp"
#include "tests/bench/quantiles.hpp"

namespace {

using namespace relay::bench;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Results {
  std::vector<double> latency_ms;
  std::vector<double> lateness_ms;
  std::uint64_t refused = 0;
  std::uint64_t lost_connections = 0;
};

/// A number that has no pattern a cache could like, and is the same in each run.
std::uint64_t scattered(std::uint64_t number) {
  number += 0x9E3779B97F4A7C15ULL;
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBULL;
  return number ^ (number >> 31U);
}

/// The commands of a connection, each sent after the reply to the one before.
class Sender {
 public:
  Sender(const Options& options, const TlsContext& tls, Results& results)
      : options_(options), tls_(tls), results_(results) {}

  ~Sender() = default;

  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  bool idle() const { return step_ == Step::Idle; }

  void start(std::uint64_t number, Clock::time_point due, const Epoll& epoll) {
    results_.lateness_ms.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - due).count());
    number_ = number;
    if (channel_.is_open()) {
      say(Step::Mail, fmt::format("MAIL FROM:<{}>\r\n", options_.sender));
      channel_.flush();
      return;
    }
    const int fd = connect_to(options_.port);
    channel_.open(fd);
    step_ = Step::Greeting;
    epoll.add(fd, EPOLLIN | EPOLLOUT, this);
  }

  /// True when a message has ended, well or badly.
  bool proceed() {
    if (!channel_.is_open()) return false;
    const bool open = channel_.read(in_);
    const bool ended = take_replies();
    if (!channel_.is_open()) return ended;
    if (open && channel_.flush()) return ended;
    const bool under_way = step_ != Step::Idle && step_ != Step::Quit;
    results_.lost_connections += under_way ? 1 : 0;
    close();
    return ended || under_way;
  }

 private:
  enum class Step { Idle, Greeting, Ehlo, StartTls, Mail, Rcpt, Data, Content, Quit };

  void say(Step step, std::string_view text) {
    step_ = step;
    channel_.add(text);
  }

  void close() {
    channel_.close();
    in_.clear();
    step_ = Step::Idle;
  }

  /// Acts upon the last line of each reply.
  bool take_replies() {
    bool ended = false;
    std::size_t begin = 0;
    for (std::size_t end = in_.find('\n'); end != std::string::npos && channel_.is_open();
         end = in_.find('\n', begin)) {
      const char code = in_[begin];
      const bool last = end - begin < 4 || in_[begin + 3] != '-';
      begin = end + 1;
      if (last) ended = take(code) || ended;
    }
    if (channel_.is_open()) in_.erase(0, begin);
    return ended;
  }

  bool take(char code) {
    if (code != '2' && code != '3') {
      ++results_.refused;
      close();
      return true;
    }
    switch (step_) {
      case Step::Greeting:
        say(Step::Ehlo, "EHLO load.test\r\n");
        return false;
      case Step::StartTls:
        channel_.encrypt(tls_);
        say(Step::Ehlo, "EHLO load.test\r\n");
        return false;
      case Step::Ehlo:
        if (options_.starttls && !channel_.is_encrypted()) {
          say(Step::StartTls, "STARTTLS\r\n");
        } else {
          say(Step::Mail, fmt::format("MAIL FROM:<{}>\r\n", options_.sender));
        }
        return false;
      case Step::Mail:
        say(Step::Rcpt, fmt::format("RCPT TO:<{}@fwd.test>\r\n", recipient()));
        return false;
      case Step::Rcpt:
        say(Step::Data, "DATA\r\n");
        return false;
      case Step::Data:
        send_content();
        return false;
      case Step::Content:
        results_.latency_ms.push_back(
            std::chrono::duration<double, std::milli>(Clock::now() - dot_).count());
        return end_message();
      case Step::Quit:
      case Step::Idle:
        close();
        return false;
    }
    return false;
  }

  std::string recipient() const {
    if (options_.recipients == 0) return "user";
    const std::uint64_t chosen = options_.in_order ? number_ : scattered(number_);
    return fmt::format("{}{}", options_.prefix, chosen % options_.recipients);
  }

  void send_content() {
    dot_ = Clock::now();
    say(Step::Content, fmt::format("Message-ID: <{}.{}@load.test>\r\n{} {}\r\n", ::getpid(),
                                   number_, kSentField, dot_.time_since_epoch().count()));
    channel_.add(options_.content);
    channel_.add(".\r\n");
  }

  bool end_message() {
    if (options_.kept) {
      step_ = Step::Idle;
    } else {
      say(Step::Quit, "QUIT\r\n");
    }
    return true;
  }

  const Options& options_;
  const TlsContext& tls_;
  Results& results_;
  Channel channel_;
  Step step_ = Step::Idle;
  std::string in_;
  std::uint64_t number_ = 0;
  Clock::time_point dot_;
};

class Generator {
 public:
  explicit Generator(Options options) : options_(std::move(options)) {
    for (std::size_t i = 0; i < options_.connections; ++i) {
      senders_.push_back(std::make_unique<Sender>(options_, tls_, results_));
    }
  }

  void run() {
    begin_ = Clock::now();
    std::array<epoll_event, 256> events{};
    const auto wanted = options_.rate > 0
                            ? static_cast<std::uint64_t>(options_.rate * options_.seconds)
                            : options_.messages;
    while (ended_ < wanted) {
      start_due(wanted);
      const std::size_t n = epoll_.wait(events, options_.rate > 0 ? 1 : 100);
      for (const epoll_event& event : std::span(events).first(n)) {
        if (static_cast<Sender*>(event.data.ptr)->proceed()) ++ended_;
      }
    }
    elapsed_ = Seconds(Clock::now() - begin_).count();
  }

  void print() {
    fmt::print(
        "{{\"messages\": {}, \"seconds\": {:.3f}, \"rate\": {:.1f}, \"refused\": {}, "
        "\"lost_connections\": {},\n \"latency_ms\": {},\n \"lateness_ms\": {}}}\n",
        results_.latency_ms.size(), elapsed_,
        static_cast<double>(results_.latency_ms.size()) / elapsed_, results_.refused,
        results_.lost_connections, quantiles(results_.latency_ms), quantiles(results_.lateness_ms));
  }

  bool good() const { return results_.refused == 0 && results_.lost_connections == 0; }

 private:
  Clock::time_point due(std::uint64_t number) const {
    if (options_.rate <= 0) return Clock::now();
    return begin_ + std::chrono::duration_cast<Clock::duration>(
                        Seconds(static_cast<double>(number) / options_.rate));
  }

  void start_due(std::uint64_t wanted) {
    for (const auto& sender : senders_) {
      if (started_ == wanted) return;
      if (!sender->idle()) continue;
      const auto at = due(started_);
      if (at > Clock::now()) return;
      sender->start(started_++, at, epoll_);
    }
  }

  Options options_;
  TlsContext tls_{Side::Client};
  Results results_;
  Epoll epoll_;
  std::vector<std::unique_ptr<Sender>> senders_;
  Clock::time_point begin_;
  std::uint64_t started_ = 0;
  std::uint64_t ended_ = 0;
  double elapsed_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  auto options = read_options(std::span(arguments, static_cast<std::size_t>(count)));
  if (!options) {
    std::fputs("usage: load PORT (--rate R --seconds S | --messages N) […]: see load.cpp\n",
               stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  Generator generator(std::move(*options));
  generator.run();
  generator.print();
  return generator.good() ? 0 : 1;
}
