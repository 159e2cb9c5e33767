// Takes every message, on loopback, and says how many came and how long they were under way.
//
//   sink COUNTS [--cert FILE --key FILE] [--sample FILE] [--skip N] PORT[:once|:tarpit] …
//
// It listens on all addresses of 127.0.0.0/8, so that each may be a destination of its own. COUNTS
// is a file of one 64-bit number for each port, in their order: the messages taken so far. With a
// certificate it offers STARTTLS. `once`: it takes one message a connection, and says so (RFC
// 9422). `tarpit`: it accepts connections and never says a word. The first message goes into the
// sample. SIGTERM ends it; it then prints, for each port, the latencies from the generator's dot to
// the dot here, without the first N messages of that port.
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <unordered_map>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/bench/channel.hpp"
#include "tests/bench/quantiles.hpp"
#include "tests/bench/sink_options.hpp"

namespace {

using namespace relay::bench;

constexpr std::string_view kEndOfContent = "\r\n.\r\n";

/// State shared by all sessions.
struct House {
  Options options;
  std::optional<TlsContext> tls;
};

/// Something that epoll watches.
class Watched {
 public:
  Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  virtual ~Watched() = default;

  /// False: it is to be closed.
  virtual bool proceed() = 0;
};

class Session final : public Watched {
 public:
  Session(int fd, Port& port, const House& house) : channel_(fd), port_(port), house_(house) {
    if (port.manner != Manner::Tarpit) channel_.add("220 sink.test ESMTP\r\n");
  }

  bool proceed() override {
    const bool open = channel_.read(in_);
    if (port_.manner == Manner::Tarpit) return open;
    const bool goes_on = take_all();
    return channel_.flush() && goes_on && open;
  }

 private:
  /// False: the session has ended.
  bool take_all() {
    std::size_t begin = 0;
    bool goes_on = true;
    while (goes_on) {
      const std::string_view stop = in_content_ ? kEndOfContent : std::string_view("\n");
      const std::size_t from = in_content_ ? std::max(begin, searched_) : begin;
      const std::size_t end = in_.find(stop, from);
      if (end == std::string::npos) break;
      const std::string_view found(in_.data() + begin, end - begin);
      begin = end + stop.size();
      searched_ = 0;
      goes_on = in_content_ ? take_content(found) : take_command(found);
    }
    in_.erase(0, begin);
    searched_ =
        in_content_ && in_.size() > kEndOfContent.size() ? in_.size() - kEndOfContent.size() : 0;
    return goes_on;
  }

  bool take_command(std::string_view line) {
    switch (line.empty() ? ' ' : line.front() & ~0x20) {
      case 'E':
        channel_.add(greeting());
        return true;
      case 'S':
        return start_tls();
      case 'D':
        in_content_ = true;
        channel_.add("354 go on\r\n");
        return true;
      case 'Q':
        channel_.add("221 2.0.0 bye\r\n");
        return false;
      default:
        channel_.add(spent_ ? "421 4.7.0 one message a connection\r\n" : "250 2.0.0 ok\r\n");
        return !spent_;
    }
  }

  std::string greeting() const {
    std::string text = "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n";
    if (house_.tls && !channel_.is_encrypted()) text += "250-STARTTLS\r\n";
    if (port_.manner == Manner::Once) text += "250-LIMITS MAILMAX=1\r\n";
    return text + "250 ENHANCEDSTATUSCODES\r\n";
  }

  bool start_tls() {
    if (!house_.tls || channel_.is_encrypted()) return false;
    channel_.add("220 2.0.0 go on\r\n");
    if (!channel_.flush()) return false;
    channel_.encrypt(*house_.tls);
    return true;
  }

  bool take_content(std::string_view content) {
    in_content_ = false;
    spent_ = port_.manner == Manner::Once;
    if (*port_.taken == 0 && !house_.options.sample.empty()) {
      std::ofstream(house_.options.sample, std::ios::binary) << content;
    }
    port_.encrypted += channel_.is_encrypted() ? 1 : 0;
    if (++*port_.taken > house_.options.skip) note_latency(content);
    channel_.add("250 2.0.0 taken\r\n");
    return true;
  }

  void note_latency(std::string_view content) {
    const std::size_t field = content.find(kSentField);
    if (field == std::string_view::npos) return;
    const std::string_view value = content.substr(field + kSentField.size() + 1);
    std::int64_t sent = 0;
    std::from_chars(value.data(), value.data() + value.size(), sent);
    const auto under_way =
        std::chrono::steady_clock::now().time_since_epoch() - std::chrono::nanoseconds(sent);
    port_.latency_ms.push_back(std::chrono::duration<double, std::milli>(under_way).count());
  }

  Channel channel_;
  Port& port_;
  const House& house_;
  std::string in_;
  std::size_t searched_ = 0;  ///< of the content, so far without its end
  bool in_content_ = false;
  bool spent_ = false;
};

class Sink {
 public:
  Sink(Options options, std::vector<Port> ports)
      : house_{std::move(options), {}}, ports_(std::move(ports)) {
    if (!house_.options.certificate.empty()) {
      house_.tls.emplace(Side::Server);
      house_.tls->use(house_.options.certificate, house_.options.key);
    }
    map_counts();
    for (Port& port : ports_) {
      listeners_.push_back(std::make_unique<Listener>(*this, port));
      epoll_.add(listeners_.back()->fd(), EPOLLIN, listeners_.back().get());
    }
  }

  void run(const volatile std::sig_atomic_t& ended) {
    std::array<epoll_event, 256> events{};
    while (ended == 0) {
      const std::size_t n = epoll_.wait(events, 100);
      for (const epoll_event& event : std::span(events).first(n)) {
        auto* watched = static_cast<Watched*>(event.data.ptr);
        if (!watched->proceed()) sessions_.erase(watched);
      }
    }
  }

  void print() {
    const char* separator = "{";
    for (Port& port : ports_) {
      fmt::print("{}\"{}\": {{\"messages\": {}, \"encrypted\": {}, \"latency_ms\": {}}}", separator,
                 port.number, *port.taken, port.encrypted, quantiles(port.latency_ms));
      separator = ",\n ";
    }
    fmt::print("}}\n");
  }

 private:
  class Listener final : public Watched {
   public:
    Listener(Sink& sink, Port& port)
        : sink_(sink), port_(port), fd_(listen_on(port.number, true)) {}

    ~Listener() override { ::close(fd_); }

    int fd() const { return fd_; }

    bool proceed() override {
      while (true) {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        const int fd =
            ::accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return true;
        // It listens on all addresses, but is for this machine alone.
        if (ntohl(peer.sin_addr.s_addr) >> 24U != 127) {
          ::close(fd);
          continue;
        }
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sink_.welcome(fd, port_);
      }
    }

   private:
    Sink& sink_;
    Port& port_;
    int fd_;
  };

  void welcome(int fd, Port& port) {
    auto session = std::make_unique<Session>(fd, port, house_);
    Session* const raw = session.get();
    sessions_.emplace(raw, std::move(session));
    epoll_.add(fd, EPOLLIN | EPOLLOUT, raw);  // the first event is that it may write
  }

  void map_counts() {
    const int fd = checked(
        ::open(house_.options.counts.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644), "counts");
    const std::size_t size = ports_.size() * sizeof(std::uint64_t);
    checked(::ftruncate(fd, static_cast<off_t>(size)), "ftruncate");
    void* const place = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (place == MAP_FAILED) give_up("mmap");
    ::close(fd);
    auto* count = static_cast<std::uint64_t*>(place);
    for (Port& port : ports_) port.taken = count++;
  }

  House house_;
  std::vector<Port> ports_;
  Epoll epoll_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<Watched*, std::unique_ptr<Session>> sessions_;
};

/// A thousand destinations may each have several connections.
void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

volatile std::sig_atomic_t ended = 0;

}  // namespace

int main(int count, char** arguments) {
  Options options;
  std::vector<Port> ports;
  if (count > 2) {
    options.counts = arguments[1];
    ports =
        read_arguments(std::span(arguments, static_cast<std::size_t>(count)).subspan(2), options);
  }
  if (ports.empty()) {
    std::fputs("usage: sink COUNTS [options] PORT[:once|:tarpit] …: see sink.cpp\n", stderr);
    return 2;
  }
  raise_descriptor_limit();
  std::signal(SIGTERM, [](int) { ended = 1; });
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  Sink sink(std::move(options), std::move(ports));
  sink.run(ended);
  sink.print();
}
