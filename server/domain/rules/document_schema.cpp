// SPDX-License-Identifier: Apache-2.0
#include "server/domain/rules/document_schema.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "server/domain/documents/order.hpp"
#include "server/domain/documents/regex.hpp"

namespace keyturn::server::data {

struct DocumentSchema::Node {
  std::vector<std::string> types;  ///< Empty: any.
  std::vector<std::string> required;
  std::vector<std::string> names;           ///< Of the properties.
  std::vector<Node> rules;                  ///< One for each of them.
  bool is_closed = false;                   ///< `additionalProperties: false`.
  std::vector<Node> additional;             ///< One, or none.
  std::vector<Node> items;                  ///< One, or none.
  std::optional<EjsonArray> values;         ///< `enum`.
  std::optional<Ejson> minimum, maximum;    ///< Numbers.
  std::optional<std::int64_t> least, most;  ///< Of the length of a string, in characters.
  std::optional<std::int64_t> fewest_items, most_items;
  bool are_unique = false;
  std::optional<documents::Regex> pattern;
};

namespace {

using Node = DocumentSchema::Node;
using Fault = std::optional<std::string>;

constexpr int kMostNesting = 50;

constexpr std::array<std::string_view, 19> kTypes{
    "double", "string", "object",    "array", "binData", "undefined", "objectId", "bool",   "date", "null",
    "regex",  "int",    "timestamp", "long",  "decimal", "minKey",    "maxKey",   "number", "uuid"};

Error wrong(std::string what) {
  return {ErrorCode::SchemaValidationFailedWrite,
          "the schema of the collection uses " + std::move(what) + ", so nothing can be written to it"};
}

std::string_view type_of(const Ejson& value) {
  // In the order of Ejson::Variant.
  static constexpr std::array<std::string_view, 17> kNames{
      "null",    "bool",     "int",  "long",  "double",    "decimal", "string", "object",   "array",
      "binData", "objectId", "date", "regex", "timestamp", "minKey",  "maxKey", "undefined"};
  static_assert(kNames.size() == std::variant_size_v<Ejson::Variant>);
  return kNames[value.value().index()];
}

bool is_of_type(const Ejson& value, std::string_view name) {
  if (name == "number") return documents::is_number(value);
  if (name == "uuid") {
    const auto* binary = value.get_if<BsonBinary>();
    return binary != nullptr && binary->subtype == 4 && binary->bytes.size() == 16;
  }
  return type_of(value) == name;
}

Result<Node> compile_node(const Ejson& text, int depth);

Result<std::vector<std::string>> texts_of(const Ejson& value, const std::string& name) {
  EjsonArray list{value};
  if (const auto* several = value.get_if<EjsonArray>()) list = *several;
  std::vector<std::string> out;
  for (const Ejson& each : list) {
    const auto* text = each.get_if<std::string>();
    if (text == nullptr) return wrong("'" + name + "' that is no list of names");
    out.push_back(*text);
  }
  return out;
}

Result<void> compile_types(Node& node, const Ejson& value) {
  auto types = texts_of(value, "bsonType");
  if (!types) return types.error();
  for (const std::string& each : *types) {
    const bool is_any = each == "mixed";
    if (!is_any && std::find(kTypes.begin(), kTypes.end(), each) == kTypes.end())
      return wrong("the unknown type '" + each + "'");
    if (is_any) return {};
  }
  node.types = std::move(*types);
  return {};
}

Result<void> compile_properties(Node& node, const Ejson& value, int depth) {
  const auto* members = value.get_if<EjsonDocument>();
  if (members == nullptr) return wrong("'properties' that are no document");
  for (const auto& [name, text] : *members) {
    auto property = compile_node(text, depth + 1);
    if (!property) return property.error();
    node.names.push_back(name);
    node.rules.push_back(std::move(*property));
  }
  return {};
}

Result<void> compile_nested(std::vector<Node>& out, const Ejson& value, int depth) {
  auto nested = compile_node(value, depth + 1);
  if (!nested) return nested.error();
  out.push_back(std::move(*nested));
  return {};
}

Result<void> compile_bound(std::optional<std::int64_t>& out, const std::string& name, const Ejson& value) {
  out = value.to_int64();
  if (!out || *out < 0) return wrong("'" + name + "' that is no count");
  return {};
}

Result<void> compile_member(Node& node, const std::string& name, const Ejson& value, int depth) {
  if (name == "title" || name == "description") return {};
  if (name == "bsonType") return compile_types(node, value);
  if (name == "properties") return compile_properties(node, value, depth);
  if (name == "items") return compile_nested(node.items, value, depth);
  if (name == "minLength") return compile_bound(node.least, name, value);
  if (name == "maxLength") return compile_bound(node.most, name, value);
  if (name == "minItems") return compile_bound(node.fewest_items, name, value);
  if (name == "maxItems") return compile_bound(node.most_items, name, value);
  if (name == "required") {
    auto names = texts_of(value, name);
    if (!names) return names.error();
    node.required = std::move(*names);
    return {};
  }
  if (name == "additionalProperties") {
    const auto* flag = value.get_if<bool>();
    node.is_closed = flag != nullptr && !*flag;
    return flag != nullptr ? Result<void>() : compile_nested(node.additional, value, depth);
  }
  if (name == "enum") {
    const auto* values = value.get_if<EjsonArray>();
    if (values == nullptr) return wrong("'enum' that is no list");
    node.values = *values;
    return {};
  }
  if (name == "minimum" || name == "maximum") {
    if (!documents::is_number(value)) return wrong("'" + name + "' that is no number");
    (name == "minimum" ? node.minimum : node.maximum) = value;
    return {};
  }
  if (name == "uniqueItems") {
    const auto* flag = value.get_if<bool>();
    if (flag == nullptr) return wrong("'uniqueItems' that is neither true nor false");
    node.are_unique = *flag;
    return {};
  }
  if (name == "pattern") {
    const auto* text = value.get_if<std::string>();
    if (text == nullptr) return wrong("'pattern' that is no text");
    auto pattern = documents::Regex::compile(*text, "");
    if (!pattern) return wrong("'pattern' that is no regular expression");
    node.pattern = std::move(*pattern);
    return {};
  }
  return wrong("'" + name + "', which is not supported");
}

Result<Node> compile_node(const Ejson& text, int depth) {
  const auto* members = text.get_if<EjsonDocument>();
  if (members == nullptr) return wrong("a part that is no document");
  if (depth > kMostNesting) return wrong("too deep nesting");
  Node node;
  for (const auto& [name, value] : *members) {
    if (auto done = compile_member(node, name, value, depth); !done) return done.error();
  }
  return node;
}

std::int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

std::string in_quotes(const std::string& text) { return "'" + text + "'"; }

Fault fault_at(const Ejson& value, const Node& node, const std::string& path);

Fault document_fault(const EjsonDocument& document, const Node& node, const std::string& path) {
  const std::string prefix = path.empty() ? path : path + ".";
  for (const std::string& name : node.required) {
    if (!document.contains(name)) return in_quotes(prefix + name) + " is required";
  }
  for (const auto& [name, value] : document) {
    const auto known = std::find(node.names.begin(), node.names.end(), name);
    const auto place = static_cast<std::size_t>(known - node.names.begin());
    const Node* rule = known != node.names.end() ? &node.rules[place]
                       : node.additional.empty() ? nullptr
                                                 : &node.additional.front();
    // Every document has an `_id`, whether the schema speaks of it or not.
    if (rule == nullptr && node.is_closed && !(path.empty() && name == "_id"))
      return in_quotes(prefix + name) + " is not in the schema";
    if (rule == nullptr) continue;
    if (auto fault = fault_at(value, *rule, prefix + name)) return fault;
  }
  return std::nullopt;
}

Fault array_fault(const EjsonArray& array, const Node& node, const std::string& path) {
  const auto size = static_cast<std::int64_t>(array.size());
  if (node.fewest_items && size < *node.fewest_items) return "'" + path + "' has too few elements";
  if (node.most_items && size > *node.most_items) return "'" + path + "' has too many elements";
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (!node.items.empty()) {
      if (auto fault = fault_at(array[i], node.items.front(), path + "." + std::to_string(i))) return fault;
    }
  }
  if (!node.are_unique) return std::nullopt;
  EjsonArray sorted = array;
  std::sort(sorted.begin(), sorted.end(), documents::Less());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end(), documents::equal);
  return twice == sorted.end() ? Fault() : "'" + path + "' has an element twice";
}

Fault fault_at(const Ejson& value, const Node& node, const std::string& path) {
  const std::string place = path.empty() ? "the document" : "'" + path + "'";
  const auto fits = [&](const std::string& type) { return is_of_type(value, type); };
  if (!node.types.empty() && std::none_of(node.types.begin(), node.types.end(), fits))
    return place + " is of type " + std::string(type_of(value));
  if (node.values && std::none_of(node.values->begin(), node.values->end(),
                                  [&](const Ejson& each) { return documents::equal(each, value); }))
    return place + " is none of the values that it may have";
  if (documents::is_number(value)) {
    if (node.minimum && documents::compare(value, *node.minimum) < 0) return place + " is too small";
    if (node.maximum && documents::compare(value, *node.maximum) > 0) return place + " is too large";
  }
  if (const auto* text = value.get_if<std::string>()) {
    if (node.least && characters(*text) < *node.least) return place + " is too short";
    if (node.most && characters(*text) > *node.most) return place + " is too long";
    if (node.pattern && !node.pattern->matches(*text)) return place + " does not match its pattern";
  }
  if (const auto* document = value.get_if<EjsonDocument>()) return document_fault(*document, node, path);
  if (const auto* array = value.get_if<EjsonArray>()) return array_fault(*array, node, path);
  return std::nullopt;
}

class SchemaGate final : public DocumentGate {
 public:
  SchemaGate(std::shared_ptr<const DocumentGate> gate, DocumentSchema schema)
      : gate_(std::move(gate)), schema_(std::move(schema)) {}
  [[nodiscard]] EjsonDocument prefilter() const override { return gate_->prefilter(); }
  [[nodiscard]] bool prefilter_is_exact() const override { return gate_->prefilter_is_exact(); }
  [[nodiscard]] bool hides_members() const override { return gate_->hides_members(); }
  [[nodiscard]] std::optional<EjsonDocument> view(const EjsonDocument& document) const override {
    return gate_->view(document);
  }
  [[nodiscard]] Result<void> check_insert(const EjsonDocument& after) const override {
    if (auto allowed = gate_->check_insert(after); !allowed) return allowed;
    return fit("insert", after);
  }
  [[nodiscard]] Result<void> check_named(const EjsonDocument& before,
                                         const std::vector<documents::Path>& named) const override {
    return gate_->check_named(before, named);
  }
  [[nodiscard]] Result<void> check_update(const EjsonDocument& before, const EjsonDocument& after,
                                          const std::vector<documents::Path>& named) const override {
    if (auto allowed = gate_->check_update(before, after, named); !allowed) return allowed;
    return fit("update", after);
  }
  [[nodiscard]] Result<void> check_remove(const EjsonDocument& before) const override {
    return gate_->check_remove(before);
  }

 private:
  [[nodiscard]] Result<void> fit(std::string_view what, const EjsonDocument& after) const {
    const auto fault = schema_.fault_of(after);
    if (!fault) return {};
    return Error(ErrorCode::SchemaValidationFailedWrite,
                 std::string(what) + " not permitted: the document does not fit the schema: " + *fault);
  }
  std::shared_ptr<const DocumentGate> gate_;
  DocumentSchema schema_;
};

}  // namespace

Result<DocumentSchema> DocumentSchema::compile(const Ejson& text) {
  auto root = compile_node(text, 0);
  if (!root) return root.error();
  return DocumentSchema(std::make_shared<const Node>(std::move(*root)));
}

std::optional<std::string> DocumentSchema::fault_of(const EjsonDocument& document) const {
  return fault_at(Ejson(document), *root_, "");
}

std::shared_ptr<const DocumentGate> with_schema(std::shared_ptr<const DocumentGate> gate,
                                                DocumentSchema schema) {
  return std::make_shared<SchemaGate>(std::move(gate), std::move(schema));
}

}  // namespace keyturn::server::data
