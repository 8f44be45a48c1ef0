# METADATA
# title: What was granted
# description: >-
#   The grants of the calling clients that cover the request: `data.access.grants`, by client, each
#   with hosts, methods and paths, and headers to set.
package edgeward.grant

import data.edgeward.client.names
import data.edgeward.pattern

matching contains grant if {
	some name in names
	some grant in data.access.grants[name]
	input.action.name in grant.methods
	covers(grant)
}

# Asked only to explain a deny.
matching_but_for_method contains grant if {
	some name in names
	some grant in data.access.grants[name]
	covers(grant)
}

covers(grant) if {
	some host in grant.hosts
	pattern.covers_host(host, input.resource.properties.host)
	some path in grant.paths
	pattern.covers_path(path, input.resource.properties.segments)
}

request_headers := object.union_n([headers | some grant in matching; headers := grant.request_headers])

response_headers := object.union_n([headers | some grant in matching; headers := grant.response_headers])
