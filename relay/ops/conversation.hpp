// One request and its answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "relay/ops/admin_endpoint.hpp"
#include "relay/ops/request.hpp"

namespace relay::ops {

/// Calls the desk and prints its views, as text or JSON. Desk and sink must outlive it.
class Conversation {
 public:
  Conversation(Desk& desk, AnswerSink& sink, Request request, Asker asker)
      : desk_(desk), sink_(sink), request_(std::move(request)), asker_(std::move(asker)) {}

  /// Sends the answer to the sink and returns the exit code.
  base::Task<ExitCode> run();

 private:
  base::Task<ExitCode> list();
  base::Task<ExitCode> show();
  base::Task<ExitCode> content(mail::MessageId id);
  base::Task<ExitCode> why();
  base::Task<ExitCode> change(ports::QueueAction action);
  base::Task<ExitCode> dry_run(ports::QueueAction action, ports::QueueFilter filter);
  base::Task<ExitCode> pause();
  base::Task<ExitCode> status();
  base::Task<ExitCode> reload();

  /// The view in the format of the request.
  template <class View>
  std::string printed(const View& view) const;
  std::string text_line(std::string_view text) const;
  base::Task<ExitCode> refuse(Refusal refusal);
  base::Task<ExitCode> refuse_usage(std::string text);

  Order order() const;

  Desk& desk_;
  AnswerSink& sink_;
  const Request request_;
  const Asker asker_;
};

}  // namespace relay::ops
