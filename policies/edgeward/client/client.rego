# METADATA
# title: Who is calling
# description: >-
#   Which client workloads the caller is, by look-ups in `data.access.clients`: its whole id, the
#   SPIFFE path it lies below, or claims of its issuer. Nothing is searched: ten thousand entries
#   cost what ten do.
package edgeward.client

names contains name if {
	input.subject.type == "workload"
	name := data.access.clients.by_id[input.subject.id]
}

names contains name if {
	count(data.access.clients.by_prefix) > 0
	input.subject.type == "workload"
	some prefix in spiffe_prefixes
	name := data.access.clients.by_prefix[prefix]
}

names contains name if {
	some rule in data.access.clients.by_claims[input.subject.properties.issuer]
	input.subject.type == "workload"

	# An empty list of claims would make every subject of the issuer this client.
	count(rule.claims) > 0
	every claim, value in rule.claims {
		input.subject.properties.claims[claim] == value
	}
	name := rule.client
}

default suspended := false

suspended if data.access.suspended[input.subject.id]

# `spiffe://td`, `spiffe://td/ns`, … : every proper ancestor of the caller's SPIFFE ID, so that a
# prefix ends where a segment ends.
spiffe_prefixes contains prefix if {
	startswith(input.subject.id, "spiffe://")
	parts := split(input.subject.id, "/")
	count(parts) > 3
	some length in numbers.range(3, count(parts) - 1)
	prefix := concat("/", array.slice(parts, 0, length))
}
