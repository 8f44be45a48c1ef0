# METADATA
# title: Patterns
# description: >-
#   Paths by segments: `*` is one segment that is not empty, `**` at the end is one or more. Hosts:
#   `*` is any, `*.name` is one label before the name. The cheap cases come first: these functions
#   are what a decision spends its time in.
package edgeward.pattern

covers_path(pattern, segments) if {
	split(trim_prefix(pattern, "/"), "/") == segments
} else if {
	contains(pattern, "*")
	parts := split(trim_prefix(pattern, "/"), "/")
	count(parts) == count(segments)
	every index, part in parts {
		part in {"*", segments[index]}
		[part, segments[index]] != ["*", ""]
	}
} else if {
	endswith(pattern, "/**")
	parts := split(trim_prefix(pattern, "/"), "/")
	fixed := count(parts) - 1
	count(segments) > fixed
	every index, part in array.slice(parts, 0, fixed) {
		part in {"*", segments[index]}
		[part, segments[index]] != ["*", ""]
	}
}

covers_host(pattern, host) if {
	pattern in {"*", host}
} else if {
	startswith(pattern, "*.")
	suffix := trim_prefix(pattern, "*")
	endswith(host, suffix)
	label := trim_suffix(host, suffix)
	label != ""
	not contains(label, ".")
}
