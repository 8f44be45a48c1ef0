package edgeward.grant_test

import data.edgeward.grant

access := {
	"clients": {"by_id": {"spiffe://x.test/a": "c"}, "by_prefix": {"spiffe://x.test": "d"}, "by_claims": {}},
	"grants": {
		"c": [
			{"hosts": ["h"], "methods": ["GET"], "paths": ["/a"], "request_headers": {"x-one": "1"}},
			{"hosts": ["h"], "methods": ["GET"], "paths": ["/a", "/b"]},
		],
		"d": [{"hosts": ["h"], "methods": ["PUT"], "paths": ["/b"], "request_headers": {"x-two": "2"}}],
	},
}

question(host, method, segment) := {
	"subject": {"type": "workload", "id": "spiffe://x.test/a"},
	"action": {"name": method},
	"resource": {"properties": {"host": host, "segments": [segment]}},
}

test_every_covering_grant_matches if {
	count(grant.matching) == 2 with input as question("h", "GET", "a") with data.access as access
	count(grant.matching) == 1 with input as question("h", "PUT", "b") with data.access as access
}

test_host_method_and_path_must_all_match if {
	every other in [question("i", "GET", "a"), question("h", "HEAD", "a"), question("h", "GET", "c")] {
		count(grant.matching) == 0 with input as other with data.access as access
	}
}

test_headers_of_all_matching_grants_are_set if {
	grant.request_headers == {"x-one": "1"} with input as question("h", "GET", "a") with data.access as access
	grant.response_headers == {} with input as question("h", "GET", "a") with data.access as access
}
