# The end-to-end tests' own policy, small enough to know by heart.
package edgeward.authz

import rego.v1

frontend := "spiffe://example.org/ns/shop/sa/frontend"

batch := "spiffe://example.org/ns/shop/sa/batch"

default decision := {"allow": false, "reasons": ["no-rule-allows"]}

decision := {"allow": true, "reasons": ["frontend"], "obligations": obligations} if {
	input.subject.id == frontend
	not forbidden
}

decision := {"allow": true, "reasons": ["batch-reads-reports"]} if {
	input.subject.id == batch
	input.action.name == "GET"
	input.resource.properties.segments[0] == "reports"
}

decision := {"allow": true, "reasons": ["pipeline"]} if {
	input.subject.id == "https://issuer.example.org|pipeline"
}

forbidden if input.resource.properties.segments[0] == "forbidden"

default obligations := {}

obligations := {
	"request_headers": {"x-obliged": "by policy"},
	"response_headers": {"x-policy-note": "seen"},
} if {
	input.resource.properties.segments[0] == "obliged"
}
