// Package spelling finds the name that a misspelt one is nearest to.
package spelling

import (
	"fmt"
	"strings"
)

// longest is how much of a name is looked at: no name that is meant is longer.
const longest = 100

// Suggest returns ` (did you mean "x"?)` for the name nearest to a misspelt one,
// or "" if none is near. Case does not matter.
func Suggest(name string, names []string) string {
	name = name[:min(len(name), longest)]
	best, near := nearest(name, names)
	if best == "" || near > len(name)/2 {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// Nearest returns the first of the names that are nearest to one, however far.
func Nearest(name string, names []string) string {
	best, _ := nearest(name, names)
	return best
}

// nearest prefers, of names equally far, the one that begins like name for longer.
func nearest(name string, names []string) (best string, distance int) {
	name = strings.ToLower(name[:min(len(name), longest)])
	begins := 0
	for _, candidate := range names {
		folded := strings.ToLower(candidate)
		d, b := edits(name, folded), beginning(name, folded)
		if best == "" || d < distance || d == distance && b > begins {
			best, distance, begins = candidate, d, b
		}
	}
	return best, distance
}

// beginning is how many letters a and b have in common before they differ.
func beginning(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// edits is how many letters must be put in, taken out or replaced to turn a into b
// (Levenshtein 1966).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
