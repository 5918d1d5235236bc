package network

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// locate prefixes err with file, line and key.
func locate(text []byte, filename, key string, err error) error {
	if parsed, parseErr := parser.ParseBytes(text, 0); parseErr == nil {
		if path, pathErr := yaml.PathString("$." + key); pathErr == nil {
			if node, nodeErr := path.FilterFile(parsed); nodeErr == nil && node.GetToken() != nil {
				return fmt.Errorf("%s:%d: %s: %w", filename, node.GetToken().Position.Line, key, err)
			}
		}
	}
	return fmt.Errorf("%s: %s: %w", filename, key, err)
}

// Suggest returns ` (did you mean "x"?)` for the name nearest to a misspelt
// one, or "" if none is near.
func Suggest(name string, names []string) string {
	best, distance := "", len(name)/2+1
	for _, candidate := range names {
		if d := editDistance(strings.ToLower(name), candidate); d < distance {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
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
