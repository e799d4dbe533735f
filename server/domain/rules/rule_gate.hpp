// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/data/document_gate.hpp"

namespace keyturn::server::data {

/// What a caller is to expressions, as `RuleFacts` names it.
struct CallerFacts {
  Ejson user;  ///< A document with `id`, `type`, `data`, `custom_data`, `identities`; null: nobody.
  Ejson values;
  Ejson environment;
};

/// The rule of a collection without one of its own, of a service without a default rule: a logged-in user
/// reads and writes the documents whose `owner_id` is the user's id.
[[nodiscard]] const Ejson& built_in_rule();

/// What a rule (admin-api.md 7: `roles`, `filters`) lets a caller do. The first role whose `apply_when` holds
/// for a document counts. Document-level `read` and `write`, where they are said, go before `fields`; who may
/// write may read; `insert`, `delete` and everything else that is not said is refused. A condition without
/// `%%prevRoot` must hold before and after a change, so that nobody can take or give away a document.
///
/// Errors: `NoMatchingRuleFound`, naming what a rule uses and Keyturn does not know: then nothing is allowed.
[[nodiscard]] Result<std::shared_ptr<const DocumentGate>> make_rule_gate(const Ejson& rule,
                                                                         CallerFacts caller);

}  // namespace keyturn::server::data
