package main

import (
	"fmt"
	"slices"
	"strings"
)

// nearestHint names the known key that an unknown one was meant to be, or lists all.
func nearestHint(word string, fields []field) string {
	known := make([]string, 0, len(fields))
	for _, f := range fields {
		known = append(known, f.key)
	}
	return meant(word, known)
}

// meant says which of the known words an unknown one was probably meant to be, or lists them all.
func meant(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	known = slices.Sorted(slices.Values(known))
	switch {
	case len(known) == 0:
		return ""
	case len(known) > maxListed:
		return fmt.Sprintf("known are %s and %d more", strings.Join(known[:maxListed], ", "), len(known)-maxListed)
	}
	return "known are " + strings.Join(known, ", ")
}

// maxListed bounds how many words a hint lists.
const maxListed = 24

// nearest returns the word that begins with it (loss: loss_pct), or else is at most a third of the letters away, or "".
func nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	for _, k := range slices.Sorted(slices.Values(known)) {
		if strings.HasPrefix(k, word+"_") {
			return k
		}
	}
	best, distance := "", max(1, len(word)/3)+1
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), strings.ToLower(k)); d < distance || d == distance && best != "" && k < best {
			best, distance = k, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of neighbours that make b of a (optimal string alignment).
func editDistance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
