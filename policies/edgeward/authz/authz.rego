# METADATA
# title: The decision
# description: >-
#   The entry point. A request passes when the caller is known, something was granted to it, and
#   nothing denies. Other files may add to `deny`; nothing can take away from it.
package edgeward.authz

import data.edgeward.client
import data.edgeward.grant

decision := {
	"allow": allow,
	"reasons": reasons,
	"obligations": obligations,
}

default allow := false

allow if {
	count(deny) == 0
	count(grant.matching) > 0
}

default reasons := ["grant-matched"]

reasons := sort(deny) if count(deny) > 0

deny contains "identity-required" if not identified

deny contains "workload-unknown" if {
	identified
	count(client.names) == 0
}

deny contains "workload-suspended" if client.suspended

deny contains "no-rule-matches" if {
	count(client.names) > 0
	count(grant.matching) == 0
}

# What only differs in the method is worth telling: it is the most frequent mistake in a grant.
deny contains "method-not-granted" if {
	count(grant.matching) == 0
	count(grant.matching_but_for_method) > 0
}

identified if input.subject.type == "workload"

default obligations := {}

obligations := {
	"request_headers": object.union(
		{"x-edgeward-client": concat(",", sort(client.names))},
		grant.request_headers,
	),
	"response_headers": grant.response_headers,
} if {
	allow
}
