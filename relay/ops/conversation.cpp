#include "relay/ops/conversation.hpp"

#include <algorithm>
#include <utility>

#include "relay/ops/json_line.hpp"
#include "relay/ops/print_json.hpp"
#include "relay/ops/print_text.hpp"

namespace relay::ops {

namespace {

using ports::QueueAction;

constexpr std::size_t kPage = 500;

std::string error_line(std::string_view text) {
  JsonLine json;
  json.text("error", text);
  return std::move(json).line();
}

/// A line that shows progress, so that the client does not give up waiting.
std::string progress_line(std::uint64_t count) {
  JsonLine json;
  json.number("progress", count);
  return std::move(json).line();
}

class ProgressLines final : public Progress {
 public:
  explicit ProgressLines(AnswerSink& sink) : sink_(sink) {}

  /// The change goes on even if the client is gone, so the result of take() is ignored.
  base::Task<> changed_so_far(std::uint64_t changed) override {
    co_await sink_.take(progress_line(changed));
  }

 private:
  AnswerSink& sink_;
};

}  // namespace

base::Task<ExitCode> Conversation::run() {
  desk_.metrics().requests.at(request_.verb).add();
  switch (request_.verb) {
    case Verb::Status:
      co_return co_await status();
    case Verb::Reload:
      co_return co_await reload();
    case Verb::List:
      co_return co_await list();
    case Verb::Show:
      co_return co_await show();
    case Verb::Why:
      co_return co_await why();
    case Verb::Retry:
      co_return co_await change(QueueAction::Retry);
    case Verb::Hold:
      co_return co_await change(QueueAction::Hold);
    case Verb::Release:
      co_return co_await change(QueueAction::Release);
    case Verb::Drop:
      co_return co_await change(QueueAction::Drop);
    case Verb::Bounce:
      co_return co_await change(QueueAction::Bounce);
    case Verb::Pause:
    case Verb::Resume:
      co_return co_await pause();
  }
  co_return ExitCode::Usage;
}

template <class View>
std::string Conversation::printed(const View& view) const {
  return request_.text ? text_line(text_lines(view)) : json_lines(view);
}

std::string Conversation::text_line(std::string_view text) const {
  if (text.empty()) return {};
  JsonLine json;
  json.text("text", text);
  return std::move(json).line();
}

base::Task<ExitCode> Conversation::refuse(Refusal refusal) {
  co_await sink_.take(error_line(refusal.text));
  co_return refusal.exit;
}

base::Task<ExitCode> Conversation::refuse_usage(std::string text) {
  co_return co_await refuse({ExitCode::Usage, std::move(text)});
}

Order Conversation::order() const {
  return {
      .verb = request_.verb, .words = request_.words, .reason = request_.reason, .asker = asker_};
}

base::Task<ExitCode> Conversation::list() {
  auto filter = parse_filter(request_.words);
  if (!filter) co_return co_await refuse_usage(filter.error());
  std::optional<mail::CopyId> after = request_.after;
  std::size_t listed = 0;
  while (listed < request_.limit) {
    auto page = co_await desk_.list(*filter, after, std::min(kPage, request_.limit - listed));
    if (!page) co_return co_await refuse(page.error());
    after = page->next;
    std::string lines = printed(*page);
    if (request_.text && listed == 0 && !page->rows.empty()) {
      lines.insert(0, text_line(list_heading()));
    }
    listed += page->rows.size();
    if (request_.progress && page->rows.empty() && after) lines += progress_line(listed);
    if (!lines.empty() && !co_await sink_.take(std::move(lines))) co_return ExitCode::Ok;
    if (!after) break;
  }
  if (after) {
    co_await sink_.take(request_.text ? text_line(text_more(*after)) : json_more(listed, *after));
  } else if (listed == 0 && request_.text) {
    co_await sink_.take(text_line("nothing in the queue matches\n"));
  }
  co_return ExitCode::Ok;
}

base::Task<ExitCode> Conversation::show() {
  auto filter = parse_selection(request_.words);
  if (!filter) co_return co_await refuse_usage(filter.error());
  auto view = co_await desk_.show(std::move(*filter));
  if (!view) co_return co_await refuse(view.error());
  const mail::MessageId id = view->copies.front().copy.message;
  if (request_.content && request_.text) view->header.clear();  // it is part of the content
  if (!co_await sink_.take(printed(*view))) co_return ExitCode::Ok;
  co_return request_.content ? co_await content(id) : ExitCode::Ok;
}

/// Sends the content piece by piece, so that the message is never in memory as a whole.
base::Task<ExitCode> Conversation::content(mail::MessageId id) {
  ContentPieces pieces;
  if (request_.text) co_await sink_.take(text_line("\n"));
  for (std::uint32_t number = 0;; ++number) {
    auto piece = co_await desk_.content(id, number);
    if (!piece) co_return co_await refuse(piece.error());
    const bool last = piece->empty();
    const std::string whole = last ? pieces.rest() : pieces.take(std::move(*piece));
    if (!whole.empty()) {
      std::string lines = request_.text ? text_line(printable_lines(whole)) : json_content(whole);
      if (!co_await sink_.take(std::move(lines))) co_return ExitCode::Ok;
    }
    if (last) co_return ExitCode::Ok;
  }
}

base::Task<ExitCode> Conversation::why() {
  auto filter = parse_selection(request_.words);
  if (!filter) co_return co_await refuse_usage(filter.error());
  const auto view = co_await desk_.why(std::move(*filter));
  if (!view) co_return co_await refuse(view.error());
  co_await sink_.take(printed(*view));
  co_return ExitCode::Ok;
}

base::Task<ExitCode> Conversation::change(QueueAction action) {
  auto filter = parse_selection(request_.words);
  if (!filter) co_return co_await refuse_usage(filter.error());
  if (request_.dry_run) co_return co_await dry_run(action, std::move(*filter));
  ProgressLines progress(sink_);
  const auto done = co_await desk_.change(order(), std::move(*filter), action,
                                          request_.progress ? &progress : nullptr);
  if (!done) co_return co_await refuse(done.error());
  co_await sink_.take(printed(*done));
  co_return done->changed == 0 ? ExitCode::NotFound : ExitCode::Ok;
}

base::Task<ExitCode> Conversation::dry_run(QueueAction action, ports::QueueFilter filter) {
  ChangeView would{.action = action, .dry_run = true};
  std::optional<mail::CopyId> after;
  do {
    auto page = co_await desk_.list(filter, after, kPage);
    if (!page) co_return co_await refuse(page.error());
    after = page->next;
    std::erase_if(page->rows, [action](const ports::QueueRow& row) {
      return !Desk::would_change(row, action);
    });
    std::string lines = printed(*page);
    if (request_.text && would.changed == 0 && !page->rows.empty()) {
      lines.insert(0, text_line(list_heading()));
    }
    would.changed += page->rows.size();
    if (request_.progress && page->rows.empty() && after) lines += progress_line(would.changed);
    if (!lines.empty() && !co_await sink_.take(std::move(lines))) co_return ExitCode::Ok;
  } while (after);
  co_await sink_.take(printed(would));
  co_return would.changed == 0 ? ExitCode::NotFound : ExitCode::Ok;
}

base::Task<ExitCode> Conversation::pause() {
  auto target = parse_pause_target(request_.words);
  if (!target) co_return co_await refuse_usage(target.error());
  auto view = request_.verb == Verb::Pause
                  ? co_await desk_.pause(order(), std::move(*target), request_.span)
                  : co_await desk_.resume(order(), std::move(*target));
  if (!view) co_return co_await refuse(view.error());
  co_await sink_.take(printed(*view));
  co_return ExitCode::Ok;
}

base::Task<ExitCode> Conversation::status() {
  const auto view = co_await desk_.status();
  co_await sink_.take(printed(view));
  const bool good = view.totals && !view.daemon.spool_poisoned && view.daemon.troubles.empty();
  co_return good ? ExitCode::Ok : ExitCode::Negative;
}

base::Task<ExitCode> Conversation::reload() {
  const auto view = co_await desk_.reload(asker_);
  if (!view.applied && request_.text) {
    co_return co_await refuse({ExitCode::InvalidConfig, text_lines(view)});
  }
  co_await sink_.take(printed(view));
  co_return view.applied ? ExitCode::Ok : ExitCode::InvalidConfig;
}

}  // namespace relay::ops
