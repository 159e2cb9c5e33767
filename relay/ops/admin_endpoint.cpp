#include "relay/ops/admin_endpoint.hpp"

#include <array>
#include <chrono>
#include <utility>

#include "relay/ops/conversation.hpp"
#include "relay/ops/json_line.hpp"

namespace relay::ops {

namespace {

constexpr std::size_t kMaxRequestOctets = 64UL * 1024;
constexpr auto kPatience = std::chrono::seconds(30);

class StreamSink final : public AnswerSink {
 public:
  explicit StreamSink(ports::Stream& stream) : stream_(stream) {}

  base::Task<bool> take(std::string lines) override {
    if (gone_) co_return false;
    const auto written = co_await stream_.write(lines, base::Deadline::after(kPatience));
    gone_ = !written;
    co_return !gone_;
  }

 private:
  ports::Stream& stream_;
  bool gone_ = false;
};

}  // namespace

base::Task<> AdminEndpoint::serve(std::unique_ptr<ports::Stream> stream) {
  const auto deadline = base::Deadline::after(kPatience);
  std::string request;
  std::array<char, 4096> buffer{};
  while (request.find('\n') == std::string::npos) {
    auto got = co_await stream->read_some(buffer, deadline);
    if (!got) co_return;
    request.append(buffer.data(), *got);
    if (request.size() > kMaxRequestOctets) co_return;
  }
  StreamSink sink(*stream);
  co_await answer(std::move(request), stream->peer_user(), sink);
  stream->close();
}

base::Task<> AdminEndpoint::answer(std::string request, Asker asker, AnswerSink& sink) {
  auto parsed = parse_request(request);
  ExitCode exit = ExitCode::Usage;
  if (parsed) {
    Conversation conversation(desk_, sink, std::move(*parsed), std::move(asker));
    exit = co_await conversation.run();
  } else {
    exit = parsed.error().exit;
    JsonLine error;
    error.text("error", parsed.error().text);
    co_await sink.take(std::move(error).line());
  }
  JsonLine end;
  end.number("exit", std::int64_t{static_cast<int>(exit)});
  co_await sink.take(std::move(end).line());
}

}  // namespace relay::ops
