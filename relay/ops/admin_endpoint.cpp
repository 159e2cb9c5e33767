#include "relay/ops/admin_endpoint.hpp"

#include <array>
#include <chrono>
#include <map>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "relay/ops/filter.hpp"
#include "relay/ops/queue_json.hpp"

namespace relay::ops {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxRequestOctets = 64UL * 1024;
constexpr std::size_t kPage = 500;
constexpr std::size_t kMaxListed = 10'000;  // a listing is for people; export is another verb
constexpr auto kRequestTime = std::chrono::seconds(30);

enum Exit {
  kOk = 0,
  kNegative = 1,
  kUsage = 2,
  kInvalidConfig = 4,
  kNotFound = 5,
  kTemporary = 75
};

std::string line(const json::object& object) { return json::serialize(object) + '\n'; }

std::string end(int exit) { return line({{"v", 1}, {"exit", exit}}); }

std::string failure(int exit, std::string_view text) {
  return line({{"v", 1}, {"error", text}}) + end(exit);
}

std::string storage_failure(ports::SpoolError error) {
  return failure(error == ports::SpoolError::NotFound ? kNotFound : kTemporary,
                 ports::describe(error));
}

std::vector<std::string> strings(const json::object& request, std::string_view key) {
  std::vector<std::string> words;
  const json::value* value = request.if_contains(key);
  if (!value || !value->is_array()) return words;
  for (const json::value& word : value->get_array()) {
    if (word.is_string()) words.emplace_back(word.get_string());
  }
  return words;
}

std::string string_or_empty(const json::object& request, std::string_view key) {
  const json::value* value = request.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool flag(const json::object& request, std::string_view key) {
  const json::value* value = request.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

}  // namespace

base::Task<> AdminEndpoint::serve(std::unique_ptr<ports::Stream> stream) {
  const auto deadline = base::Deadline::after(kRequestTime);
  std::string request;
  std::array<char, 4096> buffer{};
  while (request.find('\n') == std::string::npos) {
    auto got = co_await stream->read_some(buffer, deadline);
    if (!got) co_return;
    request.append(buffer.data(), *got);
    if (request.size() > kMaxRequestOctets) co_return;
  }
  const std::string response = co_await answer(std::move(request));
  co_await stream->write(response, base::Deadline::after(kRequestTime));
  stream->close();
}

base::Task<std::string> AdminEndpoint::answer(std::string request) {
  boost::system::error_code error;
  json::value parsed = json::parse(request, error);
  if (error || !parsed.is_object()) co_return failure(kUsage, "request is not a JSON object");
  json::object object = std::move(parsed.get_object());
  std::string verb = string_or_empty(object, "verb");
  co_return co_await dispatch(std::move(verb), std::move(object));
}

base::Task<std::string> AdminEndpoint::dispatch(std::string verb, json::object request) {
  if (verb == "status") co_return co_await status();
  if (verb == "reload") co_return reload();
  if (!verb.starts_with("queue.")) co_return failure(kUsage, "unknown verb " + verb);
  auto filter = parse_filter(strings(request, "filter"));
  if (!filter) co_return failure(kUsage, filter.error());
  if (verb == "queue.list") co_return co_await list(std::move(*filter));
  if (verb == "queue.show" || verb == "queue.why") {
    co_return co_await show(std::move(verb), std::move(*filter));
  }
  co_return co_await change(std::move(verb), std::move(*filter), std::move(request));
}

base::Task<std::string> AdminEndpoint::list(ports::QueueFilter filter) {
  std::string out;
  std::optional<ports::QueueCursor> cursor;
  std::size_t listed = 0;
  while (listed < kMaxListed) {
    auto page = co_await controls_.spool.list(filter, cursor, kPage);
    if (!page) co_return storage_failure(page.error());
    for (const auto& row : *page) out += line(row_json(row));
    listed += page->size();
    if (page->size() < kPage) break;
    const auto& last = page->back();
    cursor = {last.recipient.next_due, last.message.id, last.recipient.route.index};
  }
  if (listed >= kMaxListed) out += line({{"v", 1}, {"truncated", true}, {"listed", listed}});
  co_return out + end(kOk);
}

base::Task<std::string> AdminEndpoint::show(std::string verb, ports::QueueFilter filter) {
  auto rows = co_await controls_.spool.list(filter, std::nullopt, 2);
  if (!rows) co_return storage_failure(rows.error());
  if (rows->empty()) co_return failure(kNotFound, "no such message in the queue");
  if (rows->size() > 1 && rows->front().message.id != rows->back().message.id) {
    co_return failure(kUsage, "that matches several messages; give more of the id");
  }
  const mail::MessageId id = rows->front().message.id;
  auto queued = co_await controls_.spool.load(id);
  if (!queued) co_return storage_failure(queued.error());
  if (verb == "queue.show") co_return line(message_json(*queued)) + end(kOk);
  auto attempts = co_await controls_.spool.attempts(id);
  if (!attempts) co_return storage_failure(attempts.error());
  co_return line(why_json(*queued, *attempts, controls_.pace)) + end(kOk);
}

base::Task<std::string> AdminEndpoint::change(std::string verb, ports::QueueFilter filter,
                                              json::object request) {
  static const std::map<std::string, ports::QueueAction, std::less<>> kActions = {
      {"queue.retry", ports::QueueAction::Retry},
      {"queue.hold", ports::QueueAction::Hold},
      {"queue.release", ports::QueueAction::Release},
      {"queue.drop", ports::QueueAction::Drop},
  };
  const auto action = kActions.find(verb);
  if (action == kActions.end()) co_return failure(kUsage, "unknown verb " + verb);
  if (strings(request, "filter").empty()) {
    co_return failure(kUsage, "say which messages: an id, filter words, or `all`");
  }
  if (action->second == ports::QueueAction::Drop && string_or_empty(request, "reason").empty()) {
    co_return failure(kUsage, "drop needs --reason; it is written to the log");
  }
  if (flag(request, "dry_run")) co_return co_await list(std::move(filter));
  auto changed = co_await controls_.spool.change(filter, action->second, controls_.clock.wall());
  if (!changed) co_return storage_failure(changed.error());
  audit(verb, request, *changed);
  if (action->second != ports::QueueAction::Drop) controls_.wake_delivery();
  co_return line({{"v", 1}, {"changed", *changed}}) + end(*changed == 0 ? kNotFound : kOk);
}

base::Task<std::string> AdminEndpoint::status() {
  auto totals = co_await controls_.spool.totals();
  const DaemonStatus state = controls_.status();
  json::object o{{"v", 1},
                 {"version", state.version},
                 {"pid", state.pid},
                 {"started", base::rfc3339(state.started_at)},
                 {"config", state.config_path},
                 {"config_hash", state.config_hash},
                 {"config_loaded", base::rfc3339(state.config_loaded_at)},
                 {"sessions", state.sessions_open},
                 {"deliveries", state.deliveries_in_flight},
                 {"items_in_memory", state.items_in_memory},
                 {"crashed_tasks", state.crashed_tasks},
                 {"log_lines_dropped", state.log_lines_dropped},
                 {"stuck_tasks", state.stuck_tasks},
                 {"bounces", json::object{{"taken", state.bounces_taken},
                                          {"refused", state.bounces_refused},
                                          {"throttled", state.bounces_throttled}}},
                 {"ended", json::object{{"delivered", state.copies_delivered},
                                        {"bounced", state.copies_bounced},
                                        {"suppressed", state.copies_suppressed}}},
                 {"abuse", json::object{{"listed", state.clients_listed},
                                        {"list_failures", state.dns_list_failures},
                                        {"greylisted", state.greylisted},
                                        {"greylist_passed", state.greylist_passed},
                                        {"over_rate", state.over_rate}}},
                 {"self_checks", state.self_checks},
                 {"self_check_failures", state.self_check_failures},
                 {"spool_poisoned", state.spool_poisoned},
                 {"draining", state.draining}};
  if (totals) {
    o["queue"] = json::object{{"messages", totals->messages},
                              {"waiting", totals->waiting},
                              {"held", totals->held},
                              {"bytes", totals->bytes}};
  } else {
    o["queue_error"] = ports::describe(totals.error());
  }
  co_return line(o) + end(totals && !state.spool_poisoned ? kOk : kNegative);
}

std::string AdminEndpoint::reload() {
  const ReloadResult result = controls_.reload();
  json::object o{{"v", 1}, {"applied", result.applied}};
  json::array problems;
  for (const auto& problem : result.problems) problems.emplace_back(problem);
  json::array restart;
  for (const auto& key : result.needs_restart) restart.emplace_back(key);
  o["problems"] = std::move(problems);
  o["needs_restart"] = std::move(restart);
  return line(o) + end(result.applied ? kOk : kInvalidConfig);
}

void AdminEndpoint::audit(const std::string& verb, const json::object& request,
                          std::uint64_t changed) {
  base::Event event("admin", controls_.clock.wall());
  event.text("verb", verb);
  std::string words;
  for (const auto& word : strings(request, "filter")) words += (words.empty() ? "" : " ") + word;
  event.text("filter", words);
  event.text("reason", string_or_empty(request, "reason"));
  event.number("changed", static_cast<std::int64_t>(changed));
  controls_.log.write(std::move(event));
}

}  // namespace relay::ops
