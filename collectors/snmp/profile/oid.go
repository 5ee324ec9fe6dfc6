package profile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxArcs is the longest OID there is (RFC 2578, 3.5).
const maxArcs = 128

// checkOID says what is wrong with an OID of a profile, and what to do; both are empty when it is good.
func checkOID(text string) (problem, hint string) {
	if strings.HasPrefix(text, ".") {
		return "begins with a dot", "write " + strings.TrimLeft(text, ".")
	}
	arcs := strings.Split(text, ".")
	for _, arc := range arcs {
		switch {
		case !decimal(arc):
			return "is not numbers with dots between them", "write an OID such as 1.3.6.1.2.1.1.1.0; names of MIBs are not read"
		case len(arc) > 1 && arc[0] == '0':
			return fmt.Sprintf("has %s with a zero in front", arc), "write " + strings.TrimLeft(arc[:len(arc)-1], "0") + arc[len(arc)-1:]
		}
		if _, err := strconv.ParseUint(arc, 10, 32); err != nil {
			return fmt.Sprintf("has %s, which is more than 4294967295", arc), ""
		}
	}
	switch {
	case len(arcs) < 2:
		return "is too short", "an OID has at least two numbers"
	case len(arcs) > maxArcs:
		return fmt.Sprintf("has more than %d numbers", maxArcs), ""
	case len(arcs[0]) > 1 || arcs[0] > "2":
		return "begins with " + arcs[0], "an OID begins with 0, 1 or 2"
	}
	return "", ""
}

func decimal(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// under reports whether an OID is root or lies below it. Neither has a leading dot; the border is between two numbers: 1.3.99 is not under 1.3.9.
func under(oid, root string) bool {
	return strings.HasPrefix(oid, root) && (len(oid) == len(root) || oid[len(root)] == '.')
}

// bare is an OID without the dot in front, which is how profiles write and compare them.
func bare(oid string) string {
	oid = strings.TrimSpace(oid)
	return strings.TrimPrefix(oid, ".")
}

// plainOID takes the leading dot from a text that is an OID, and leaves other text as it is.
func plainOID(text string) string {
	if rest, dotted := strings.CutPrefix(text, "."); dotted && strings.Trim(rest, "0123456789.") == "" && rest != "" {
		return rest
	}
	return text
}

// parseIndex reads the index of a row. What is not numbers with dots between them is no index.
func parseIndex(text string) ([]uint32, bool) {
	if text == "" || strings.Count(text, ".") >= maxArcs {
		return nil, false
	}
	arcs := make([]uint32, 0, strings.Count(text, ".")+1)
	for arc := range strings.SplitSeq(text, ".") {
		n, err := strconv.ParseUint(arc, 10, 32)
		if err != nil || !decimal(arc) {
			return nil, false
		}
		arcs = append(arcs, uint32(n))
	}
	return arcs, true
}

// sortedIndexes lists the indexes of a column's cells in the order of their numbers.
func sortedIndexes(cells map[string]string) []string {
	type index struct {
		text string
		arcs []uint32
	}
	all := make([]index, 0, len(cells))
	for text := range cells {
		if arcs, ok := parseIndex(text); ok {
			all = append(all, index{text, arcs})
		}
	}
	slices.SortFunc(all, func(a, b index) int {
		if c := slices.Compare(a.arcs, b.arcs); c != 0 {
			return c
		}
		return strings.Compare(a.text, b.text)
	})
	out := make([]string, len(all))
	for i := range all {
		out[i] = all[i].text
	}
	return out
}
