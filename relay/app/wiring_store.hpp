// Which stores there are for the queue: `queue.store` chooses one by the scheme of its URL. Part of
// the composition root, and of it alone what names a store.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::ports {
class Clock;
class Store;
}  // namespace relay::ports

namespace relay::settings {
struct Queue;
}

namespace relay::app {

/// Those that `queue.store` may begin with.
std::vector<std::string_view> store_schemes();

/// Why `queue.store` is the URL of no store of ours, as a text behind the name of the key. The
/// functions below need a queue to which there is no objection.
std::optional<std::string> objection_to_store(const settings::Queue& queue);

/// Why the store could not be opened, as far as can be seen without creating or changing anything.
/// Not for the process that has it open.
std::expected<void, std::string> look_at_store(const settings::Queue& queue);

/// Makes the folder in which the relay keeps what it remembers beside the queue. The error is a
/// sentence.
std::expected<void, std::string> make_store_folder(const settings::Queue& queue);

/// The clock must outlive the store. The error is a sentence.
std::expected<std::unique_ptr<ports::Store>, std::string> open_store(const settings::Queue& queue,
                                                                     const ports::Clock& clock);

}  // namespace relay::app
