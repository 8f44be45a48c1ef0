package edgeward.authz_test

import data.edgeward.authz

access := {
	"clients": {
		"by_id": {"spiffe://x.test/a": "reader", "spiffe://x.test/b": "nobody"},
		"by_prefix": {},
		"by_claims": {},
	},
	"grants": {"reader": [{
		"hosts": ["*"],
		"methods": ["GET"],
		"paths": ["/r"],
		"response_headers": {"cache-control": "no-store"},
	}]},
	"suspended": {"spiffe://x.test/b": "leaked its key"},
}

question(id, method, segments) := {
	"subject": {"type": "workload", "id": id},
	"action": {"name": method},
	"resource": {"type": "http", "id": "h", "properties": {"host": "h", "segments": segments}},
	"context": {},
}

test_a_granted_request_is_allowed_and_carries_its_obligations if {
	authz.decision == {
		"allow": true,
		"reasons": ["grant-matched"],
		"obligations": {
			"request_headers": {"x-edgeward-client": "reader"},
			"response_headers": {"cache-control": "no-store"},
		},
	} with input as question("spiffe://x.test/a", "GET", ["r"]) with data.access as access
}

test_another_path_is_denied if {
	authz.decision == {"allow": false, "reasons": ["no-rule-matches"], "obligations": {}} with input as question("spiffe://x.test/a", "GET", ["s"])
		with data.access as access
}

test_another_method_is_denied_and_says_so if {
	authz.decision.reasons == ["method-not-granted", "no-rule-matches"] with input as question("spiffe://x.test/a", "POST", ["r"])
		with data.access as access
}

test_an_unknown_workload_is_denied if {
	authz.decision.reasons == ["workload-unknown"] with input as question("spiffe://x.test/c", "GET", ["r"])
		with data.access as access
}

test_a_suspended_workload_is_denied if {
	authz.decision.reasons == ["no-rule-matches", "workload-suspended"] with input as question("spiffe://x.test/b", "GET", ["r"])
		with data.access as access
}

test_nobody_is_denied if {
	authz.decision.reasons == ["identity-required"] with input as {"subject": {"type": "anonymous", "id": "anonymous"}}
		with data.access as access
}

test_a_question_without_any_fact_is_denied if {
	not authz.decision.allow with input as {} with data.access as access
}

test_without_data_everything_is_denied if {
	not authz.decision.allow with input as question("spiffe://x.test/a", "GET", ["r"]) with data.access as {}
}
