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
	endswith(pattern, "/**")
	parts := split(trim_prefix(pattern, "/"), "/")
	fixed := count(parts) - 1
	count(segments) > fixed
	covers_segments(array.slice(parts, 0, fixed), array.slice(segments, 0, fixed))
} else if {
	contains(pattern, "*")
	covers_segments(split(trim_prefix(pattern, "/"), "/"), segments)
}

covers_segments(parts, segments) if {
	count(parts) == count(segments)
	every index, part in parts {
		covers_segment(part, segments[index])
	}
}

covers_segment(part, segment) if {
	part == "*"
	segment != ""
} else if {
	part != "*"
	part == segment
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
