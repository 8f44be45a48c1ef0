package edgeward.client_test

import data.edgeward.client

access := {
	"clients": {
		"by_id": {"spiffe://x.test/a": "exact", "https://i.test|sub": "person"},
		"by_prefix": {"spiffe://x.test/ns/ops": "operator", "spiffe://whole.test": "domain"},
		"by_claims": {"https://ci.test": [
			{"client": "deployer", "claims": {"repository": "acme/shop", "ref": "refs/heads/main"}},
			{"client": "everybody", "claims": {}},
		]},
	},
	"suspended": {"spiffe://x.test/a": "why"},
}

named(subject) := names if {
	names := client.names with input as {"subject": subject} with data.access as access
}

workload(id) := {"type": "workload", "id": id}

test_the_whole_id_makes_a_client if named(workload("spiffe://x.test/a")) == {"exact"}

test_an_issuer_and_subject_make_a_client if named(workload("https://i.test|sub")) == {"person"}

test_a_prefix_covers_what_lies_below if {
	named(workload("spiffe://x.test/ns/ops/sa/x")) == {"operator"}
}

test_a_prefix_covers_neither_itself_nor_a_longer_word if {
	named(workload("spiffe://x.test/ns/ops")) == set()
	named(workload("spiffe://x.test/ns/opsy/sa/x")) == set()
}

test_a_trust_domain_is_a_prefix if named(workload("spiffe://whole.test/x")) == {"domain"}

test_a_prefix_is_for_spiffe_ids_only if named(workload("https://x.test/ns/ops/x")) == set()

ci(claims) := {
	"type": "workload",
	"id": "https://ci.test|x",
	"properties": {"issuer": "https://ci.test", "claims": claims},
}

test_all_claims_must_match if {
	named(ci({"repository": "acme/shop", "ref": "refs/heads/main"})) == {"deployer"}
	named(ci({"repository": "acme/shop", "ref": "refs/heads/evil"})) == set()
	named(ci({"repository": "acme/shop"})) == set()
}

test_an_anonymous_caller_is_nobody if {
	named({"type": "anonymous", "id": "spiffe://x.test/a"}) == set()
}

test_suspension_is_by_id if {
	client.suspended with input as {"subject": workload("spiffe://x.test/a")} with data.access as access
	not client.suspended with input as {"subject": workload("spiffe://x.test/b")} with data.access as access
}
