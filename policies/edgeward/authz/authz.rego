# METADATA
# title: The decision
# description: >-
#   The entry point. A request passes when the caller is known, something was granted to it, and
#   nothing denies. Other files may add to `deny`; nothing can take away from it.
package edgeward.authz

# Rules by their whole name: `import data.edgeward.grant` would make the engine evaluate every rule
# of that package whenever one of them is read.
import data.edgeward.client.names
import data.edgeward.client.suspended
import data.edgeward.grant.matching
import data.edgeward.grant.matching_but_for_method
import data.edgeward.grant.request_headers
import data.edgeward.grant.response_headers

decision := {
	"allow": allow,
	"reasons": reasons,
	"obligations": obligations,
}

default allow := false

allow if {
	count(deny) == 0
	count(matching) > 0
}

default reasons := ["grant-matched"]

reasons := sort(deny) if count(deny) > 0

deny contains "workload-suspended" if suspended

deny contains reason if {
	count(matching) == 0
	some reason in why_nothing_is_granted
}

why_nothing_is_granted contains "identity-required" if not identified

why_nothing_is_granted contains "workload-unknown" if {
	identified
	count(names) == 0
}

why_nothing_is_granted contains "no-rule-matches" if count(names) > 0

# What only differs in the method is worth telling: it is the most frequent mistake in a grant.
why_nothing_is_granted contains "method-not-granted" if count(matching_but_for_method) > 0

identified if input.subject.type == "workload"

default obligations := {}

obligations := {
	"request_headers": object.union(
		{"x-edgeward-client": concat(",", sort(names))},
		request_headers,
	),
	"response_headers": response_headers,
} if {
	allow
}
