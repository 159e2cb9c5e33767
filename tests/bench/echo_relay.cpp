// A relay that only relays: the cost of a message's sockets, without parsing, disk, signature and
// log. Its rate, with the same generator and sink, is the bound that no forwarder on this machine
// can pass (tests/bench/figures.py adds the price of a signature).
//
//   echo_relay LISTEN_PORT SINK_PORT [THREADS]
//
// Each command line is answered without being read but for its first letter; content ends with
// CRLF.CRLF at the end of what has arrived, as the client says nothing before the reply. A message
// goes on in one write for the envelope and one for the content, over connections that are kept.
#include <array>
#include <deque>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "tests/bench/sockets.hpp"

namespace {

using namespace relay::bench;

constexpr std::size_t kConnectionsPerThread = 25;
constexpr std::string_view kEnvelope =
    "MAIL FROM:<a@relay.test>\r\nRCPT TO:<target@dest.test>\r\nDATA\r\n";
constexpr std::string_view kEndOfContent = "\r\n.\r\n";

using Content = std::shared_ptr<const std::string>;  // ends with the dot

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  virtual ~Connection() { ::close(fd_); }

  int fd() const { return fd_; }

  /// Events that were fetched before it was closed are ignored.
  bool closed = false;

  /// Something happened at the socket. False: it is to be closed.
  virtual bool proceed() = 0;

 private:
  int fd_;
};

/// The messages to pass on, and their connections.
class Outbound {
 public:
  virtual ~Outbound() = default;
  virtual void deliver(Content content) = 0;
  virtual void idle(Connection& connection) = 0;
};

/// The side of the generator.
class Inbound final : public Connection {
 public:
  Inbound(int fd, Outbound& outbound) : Connection(fd), outbound_(outbound) {
    out_.add("220 echo\r\n");
  }

  bool proceed() override {
    bool open = read_all(fd(), in_);
    if (!in_.empty()) open = take() && open;
    return out_.flush(fd()) && open;
  }

 private:
  /// False: QUIT.
  bool take() {
    if (in_content_) {
      if (!in_.ends_with(kEndOfContent)) return true;
      outbound_.deliver(std::make_shared<const std::string>(std::move(in_)));
      in_.clear();
      in_content_ = false;
      out_.add("250 ok\r\n");
      return true;
    }
    if (!in_.ends_with('\n')) return true;
    const char first = in_.front();
    in_.clear();
    in_content_ = first == 'D';
    out_.add(in_content_ ? "354 go\r\n" : first == 'Q' ? "221 bye\r\n" : "250 ok\r\n");
    return first != 'Q';
  }

  Outbound& outbound_;
  std::string in_;
  Outgoing out_;
  bool in_content_ = false;
};

/// The side of the sink: one message after the other, each when the last was taken.
class Lane final : public Connection {
 public:
  Lane(int fd, Outbound& outbound) : Connection(fd), outbound_(outbound) {}

  void start(Content content) {
    content_ = std::move(content);
    out_.add(kEnvelope);
    awaited_ = 3;
  }

  /// Octets that the sink did not get, because it closed this connection meanwhile.
  Content unsent() { return content_sent_ ? nullptr : std::move(content_); }

  bool proceed() override {
    const bool open = read_all(fd(), in_);
    for (const char octet : in_) {
      if (octet == '\n') replied();
    }
    in_.clear();
    return out_.flush(fd()) && open;
  }

 private:
  void replied() {
    if (awaited_ == 0 || --awaited_ > 0) return;
    if (greeting_) {
      greeting_ = false;
      out_.add("HELO echo\r\n");
      awaited_ = 1;
    } else if (content_ && !content_sent_) {
      out_.add(*content_);
      content_sent_ = true;
      awaited_ = 1;
    } else {
      content_.reset();
      content_sent_ = false;
      outbound_.idle(*this);
    }
  }

  Outbound& outbound_;
  std::string in_;
  Outgoing out_;
  Content content_;
  int awaited_ = 1;
  bool greeting_ = true;
  bool content_sent_ = false;
};

/// One thread: its own listener, its own connections to the sink.
class Shard final : public Outbound {
 public:
  Shard(std::uint16_t port, std::uint16_t sink) : listener_(listen_on(port)), sink_(sink) {
    epoll_.add(listener_, EPOLLIN, nullptr);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const std::size_t n = epoll_.wait(events, -1);
      for (const epoll_event& event : std::span(events).first(n)) {
        if (event.data.ptr == nullptr) {
          accept_all();
        } else {
          proceed(*static_cast<Connection*>(event.data.ptr));
        }
      }
      closed_.clear();
    }
  }

  void deliver(Content content) override {
    waiting_.push_back(std::move(content));
    if (!idle_.empty()) {
      Lane& lane = *idle_.back();
      idle_.pop_back();
      next(lane);
      proceed(lane);
    } else if (lanes_ < kConnectionsPerThread) {
      ++lanes_;
      add(std::make_unique<Lane>(connect_to(sink_), *this), EPOLLIN | EPOLLOUT);
    }
  }

  void idle(Connection& connection) override { next(static_cast<Lane&>(connection)); }

 private:
  void next(Lane& lane) {
    if (waiting_.empty()) {
      idle_.push_back(&lane);
      return;
    }
    lane.start(std::move(waiting_.front()));
    waiting_.pop_front();
  }

  void accept_all() {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      proceed(add(std::make_unique<Inbound>(fd, *this), EPOLLIN | EPOLLOUT));
    }
  }

  Connection& add(std::unique_ptr<Connection> made, std::uint32_t events) {
    Connection& connection = *made;
    epoll_.add(connection.fd(), events, &connection);
    connections_.emplace(&connection, std::move(made));
    return connection;
  }

  void proceed(Connection& connection) {
    if (connection.closed || connection.proceed()) return;
    connection.closed = true;
    if (auto* lane = dynamic_cast<Lane*>(&connection)) {
      --lanes_;
      std::erase(idle_, lane);
      if (Content unsent = lane->unsent()) deliver(std::move(unsent));
    }
    closed_.push_back(std::move(connections_.at(&connection)));
    connections_.erase(&connection);
  }

  Epoll epoll_;
  int listener_;
  std::uint16_t sink_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> closed_;  ///< in this batch of events
  std::deque<Content> waiting_;
  std::vector<Lane*> idle_;
  std::size_t lanes_ = 0;
};

std::uint16_t port_of(const char* text) {
  return static_cast<std::uint16_t>(std::strtoul(text, nullptr, 10));
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fputs("usage: echo_relay LISTEN_PORT SINK_PORT [THREADS]\n", stderr);
    return 2;
  }
  const std::uint16_t port = port_of(arguments[1]);
  const std::uint16_t sink = port_of(arguments[2]);
  const unsigned long threads = count > 3 ? std::strtoul(arguments[3], nullptr, 10) : 2;
  std::vector<std::jthread> running;
  for (unsigned long i = 0; i < threads; ++i) {
    running.emplace_back([port, sink] { Shard(port, sink).run(); });
  }
}
