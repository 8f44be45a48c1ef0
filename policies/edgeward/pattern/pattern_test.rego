package edgeward.pattern_test

import data.edgeward.pattern

test_a_path_covers_what_it_says if {
	every case in [
		["/", [""]],
		["/a", ["a"]],
		["/a/*", ["a", "b"]],
		["/*/c", ["a", "c"]],
		["/a/**", ["a", "b"]],
		["/a/**", ["a", "b", "c"]],
		["/**", ["a"]],
	] {
		pattern.covers_path(case[0], case[1])
	}
}

test_a_path_covers_nothing_shorter_longer_or_empty if {
	every case in [
		["/a", []],
		["/a", ["a", ""]],
		["/a", ["a", "b"]],
		["/a", ["A"]],
		["/a/*", ["a"]],
		["/a/*", ["a", ""]],
		["/a/*", ["a", "b", "c"]],
		["/a/**", ["a"]],
		["/a/**", ["b", "c"]],
		["/", []],
		["/a/*", ["b", "c"]],
		["/a/**", ["a*", "b"]],
		["/a*", ["ab"]],
		["/*/c", ["", "c"]],
	] {
		not pattern.covers_path(case[0], case[1])
	}
}

test_a_host_covers_what_it_says if {
	every case in [["*", "a.test"], ["a.test", "a.test"], ["*.a.test", "b.a.test"]] {
		pattern.covers_host(case[0], case[1])
	}
}

test_a_host_covers_no_other_name if {
	every case in [
		["a.test", "b.test"],
		["a.test", "xa.test"],
		["*.a.test", "a.test"],
		["*.a.test", ".a.test"],
		["*.a.test", "c.b.a.test"],
		["*.a.test", "ba.test"],
	] {
		not pattern.covers_host(case[0], case[1])
	}
}
