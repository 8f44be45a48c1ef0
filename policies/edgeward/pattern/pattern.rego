# METADATA
# title: Patterns
# description: >-
#   Paths by segments: `*` is one segment that is not empty, `**` at the end is one or more. Hosts:
#   `*` is any, `*.name` is one label before the name.
package edgeward.pattern

covers_path(pattern, segments) if {
	parts := split(trim_prefix(pattern, "/"), "/")
	parts[count(parts) - 1] != "**"
	count(parts) == count(segments)
	every index, part in parts {
		covers_segment(part, segments[index])
	}
}

covers_path(pattern, segments) if {
	parts := split(trim_prefix(pattern, "/"), "/")
	fixed := count(parts) - 1
	parts[fixed] == "**"
	count(segments) > fixed
	every index, part in array.slice(parts, 0, fixed) {
		covers_segment(part, segments[index])
	}
}

covers_segment(part, segment) if {
	part == "*"
	segment != ""
}

covers_segment(part, segment) if {
	part != "*"
	part == segment
}

covers_host(pattern, _) if pattern == "*"

covers_host(pattern, host) if pattern == host

covers_host(pattern, host) if {
	startswith(pattern, "*.")
	suffix := trim_prefix(pattern, "*")
	endswith(host, suffix)
	label := trim_suffix(host, suffix)
	label != ""
	not contains(label, ".")
}
