# The policy of `./just demo-trust`: a token opens the one service that it is for. Who may have a token for
# which service stands in the configuration of the token service.
package edgeward.authz

import rego.v1

service := input.resource.properties.segments[0]

default decision := {"allow": false, "reasons": ["token-for-another-service"]}

decision := {"allow": true, "reasons": ["addressed"]} if {
	service in input.subject.properties.claims.aud
}
