# The promises of the data beside this file. Replace both together.
package access_test

import data.edgeward.authz

frontend := "spiffe://demo.edgeward.dev/ns/shop/sa/frontend"

batch := "spiffe://demo.edgeward.dev/ns/shop/sa/batch"

deployer := "https://issuer.demo.edgeward.dev|repo:acme/shop:ref:refs/heads/main"

question(id, method, segments) := {
	"subject": {"type": "workload", "id": id},
	"action": {"name": method},
	"resource": {"type": "http", "id": "shop", "properties": {"host": "shop", "segments": segments}},
}

allowed(id, method, segments) if authz.decision.allow with input as question(id, method, segments)

test_the_frontend_reads_and_places_orders if {
	allowed(frontend, "GET", ["orders"])
	allowed(frontend, "GET", ["orders", "7"])
	allowed(frontend, "POST", ["orders"])
}

test_the_frontend_does_nothing_else if {
	every case in [["POST", ["orders", "7"]], ["DELETE", ["orders"]], ["GET", ["reports", "7"]], ["POST", ["deploy"]]] {
		not allowed(frontend, case[0], case[1])
	}
}

test_batch_reads_reports_only if {
	allowed(batch, "GET", ["reports", "2026"])
	not allowed(batch, "GET", ["reports"])
	not allowed(batch, "GET", ["orders"])
}

test_continuous_integration_deploys_from_main_only if {
	allowed(deployer, "POST", ["deploy"])
	not allowed("https://issuer.demo.edgeward.dev|repo:acme/shop:ref:refs/heads/evil", "POST", ["deploy"])
	not allowed("https://issuer.other.dev|repo:acme/shop:ref:refs/heads/main", "POST", ["deploy"])
}

test_a_suspended_caller_is_told_so if {
	"workload-suspended" in authz.decision.reasons with input as question("spiffe://demo.edgeward.dev/ns/shop/sa/retired", "GET", ["orders"])
}
