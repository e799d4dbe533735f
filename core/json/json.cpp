// SPDX-License-Identifier: Apache-2.0
#include "core/json/json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace keyturn::json {
namespace {

using Members = std::vector<Object::Member>;

// Walks the text and leaves its place where the builder can see it: the parser's callbacks are not told the
// offset.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  explicit Cursor(const char* at, const char** seen) : at_(at), seen_(seen) {}
  reference operator*() const { return *at_; }
  Cursor& operator++() {
    *seen_ = ++at_;
    return *this;
  }
  Cursor operator++(int) {
    const Cursor before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Cursor& a, const Cursor& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  const char** seen_;
};

// Makes names unique: false when one occurs twice and that is refused. For `last_wins` the member stays at
// the place of the first and has the value of the last. Sorts, since a hostile text can hold very many
// members.
bool settle_duplicates(Members& members, DuplicateNames rule) {
  if (members.size() < 2) return true;
  constexpr std::size_t kFew = 12;
  if (members.size() <= kFew) {
    bool unique = true;
    for (std::size_t i = 1; i < members.size() && unique; ++i) {
      for (std::size_t j = 0; j < i && unique; ++j) unique = members[i].first != members[j].first;
    }
    if (unique) return true;
    if (rule == DuplicateNames::refuse) return false;
  }
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return members[a].first < members[b].first; });
  std::vector<bool> dropped(members.size(), false);
  bool any = false;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t last = i;
    while (last + 1 < order.size() && members[order[last + 1]].first == members[order[i]].first)
      dropped[order[++last]] = true;
    if (last != i) {
      if (rule == DuplicateNames::refuse) return false;
      members[order[i]].second = std::move(members[order[last]].second);
      any = true;
    }
    i = last + 1;
  }
  if (any) {
    Members kept;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!dropped[i]) kept.push_back(std::move(members[i]));
    }
    members = std::move(kept);
  }
  return true;
}

// Receives the events of the parser and builds the value; says no as soon as a limit is met.
class Builder {
 public:
  Builder(const Limits& limits, const char* const* seen, const char* start)
      : limits_(limits), seen_(seen), start_(start) {}

  bool null() { return count() && add(Value()); }
  bool boolean(bool flag) { return count() && add(Value(flag)); }
  bool number_integer(std::int64_t number) { return count() && add(Value(number)); }
  bool number_unsigned(std::uint64_t number) {
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return number_float(static_cast<double>(number), {});
    return number_integer(static_cast<std::int64_t>(number));
  }
  bool number_float(double number, const std::string& /*text*/) { return count() && add(Value(number)); }
  bool string(const std::string& text) { return count() && add(Value(std::string_view(text))); }
  bool binary(const nlohmann::json::binary_t& /*bytes*/) { return false; }

  bool start_object(std::size_t /*count*/) { return open(true); }
  bool start_array(std::size_t /*count*/) { return open(false); }
  bool key(const std::string& name) {
    open_.back().members.emplace_back(name, Value());
    return true;
  }
  bool end_object() {
    Members members = std::move(open_.back().members);
    open_.pop_back();
    if (!settle_duplicates(members, limits_.duplicates))
      return fail("a member name twice in the object that ends", offset());
    return add(Value(Object(std::move(members))));
  }
  bool end_array() {
    Array items = std::move(open_.back().items);
    open_.pop_back();
    return add(Value(std::move(items)));
  }
  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const nlohmann::json::exception& fault) {
    constexpr int kNumberOutOfRange = 406;
    return fail(fault.id == kNumberOutOfRange ? "a number that is too large"
                                              : "a syntax error or bytes that are no UTF-8",
                position == 0 ? 0 : position - 1);
  }

  [[nodiscard]] Value take() { return std::move(root_); }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  struct Frame {
    bool is_object;
    Members members;
    Array items;
  };

  bool open(bool is_object) {
    if (!count()) return false;
    if (open_.size() >= static_cast<std::size_t>(std::max(0, limits_.max_depth)))
      return fail("too many nested levels", offset());
    open_.push_back(Frame{is_object, {}, {}});
    return true;
  }

  bool count() {
    if (++values_ <= limits_.max_values) return true;
    return fail("more values than are allowed", offset());
  }

  bool add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_object) {
      open_.back().members.back().second = std::move(value);
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }

  // Of the byte that was read last.
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(*seen_ - start_) - 1; }

  bool fail(const char* what, std::size_t position) {
    if (fault_.empty())
      fault_ = std::string("invalid JSON: ") + what + " at byte " + std::to_string(position);
    return false;
  }

  const Limits& limits_;
  const char* const* seen_;
  const char* start_;
  std::size_t values_ = 0;
  std::vector<Frame> open_;
  Value root_;
  std::string fault_;
};

Error refusal(std::string message) { return {ErrorCode::BadRequest, std::move(message)}; }

}  // namespace

Result<Value> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.max_bytes)
    return refusal("invalid JSON: above the limit of " + std::to_string(limits.max_bytes) + " bytes");
  if (text.starts_with("\xef\xbb\xbf")) return refusal("invalid JSON: a byte-order mark at byte 0");
  // No JSON text holds this byte, but nlohmann's lexer takes it for the end and would not look at what
  // follows.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return refusal("invalid JSON: a zero byte at byte " + std::to_string(zero));
  }
  const char* seen = text.data();
  Builder builder(limits, &seen, text.data());
  const Cursor begin(text.data(), &seen);
  const Cursor end(text.data() + text.size(), &seen);
  if (!nlohmann::json::sax_parse(begin, end, &builder)) {
    return refusal(builder.fault().empty() ? "invalid JSON" : builder.fault());
  }
  return builder.take();
}

}  // namespace keyturn::json
