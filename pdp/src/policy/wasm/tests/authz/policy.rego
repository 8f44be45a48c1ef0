package edgeward.authz

default decision := {"allow": false, "reasons": ["no-role"]}

decision := {"allow": true, "reasons": ["granted"], "obligations": {"request_headers": {"x-edgeward-as": shown}}} if {
	is_granted
	net.cidr_contains(data.networks.inside, input.source)
	shown := sprintf("%s of %v", [input.user, {word | some word in split(input.path, "/"); word != ""}])
}

is_granted if {
	some role in data.roles[input.user]
	role.method == input.method
	startswith(input.path, role.prefix)
}

# What a compiled policy and ours must agree on, value by value.
values := {
	"input": input,
	"set": {3, 1, 2, "a", [1], {"b": 1}},
	"empty": [set(), {}, []],
	"keys": object.get({1: "one", [2]: "two"}, [2], null),
	"numbers": [0.25 + 0.5, 10 / 4, 18446744073709551615 + 1, -7 % 3, round(2.5)],
	"texts": [upper("é"), "a\u0000b\"\\", concat("/", ["a", "b"]), replace("aXa", "X", "\n")],
	"host": [
		sprintf("%d %v %s", [3, {1, 2}, ["x"]]),
		regex.split("-", "a-b-c"),
		hex.encode("a"),
		semver.compare("1.2.0", "1.10.0"),
		crypto.sha256("abc"),
		json.patch({"a": 1}, [{"op": "add", "path": "/b", "value": {1, 2}}]),
	],
}

# Each of the next asks for more than it may have, or for what cannot be.
forever if {
	some a in input.list
	some b in input.list
	some c in input.list
	some d in input.list
	a == b
	b == c
	c == d
	a < 0
}

much := count([[a, b] | some a in input.list; some b in input.list])

twice := 1 if input.a

twice := 2 if input.b

pattern if json.patch(input.document, [{"op": "remove", "path": "/gone"}])

token := io.jwt.decode(input.token)
