package spelling

import (
	"strings"
	"testing"
)

func TestSuggestionIsTheNearestName(t *testing.T) {
	names := []string{"address_mapping", "bus_width", "tRRD_S", "tRRD_L", "tRTP"}
	for _, c := range []struct{ name, want string }{
		{"adress_mapping", ` (did you mean "address_mapping"?)`},
		{"ADDRESS_MAPPIN", ` (did you mean "address_mapping"?)`},
		{"buswidth", ` (did you mean "bus_width"?)`},
		{"trrd_l", ` (did you mean "tRRD_L"?)`},
		{"tRRD_", ` (did you mean "tRRD_S"?)`}, // the first of equals
		{"tRTP_S", ` (did you mean "tRTP"?)`},  // as near as tRRD_S, and begins like it
		{"voltage", ""},
		{"", ""},
		{strings.Repeat("x", 1<<20), ""},
	} {
		if got := Suggest(c.name, names); got != c.want {
			t.Errorf("%.20q: %q, want %q", c.name, got, c.want)
		}
	}
	if got := Suggest("x", nil); got != "" {
		t.Errorf("%q from no names", got)
	}
	if got := Nearest("voltage", names); got == "" {
		t.Error("nothing is nearest")
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"abc", "abc", 0}} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("%q to %q takes %d, want %d", c.a, c.b, got, c.want)
		}
		if got := edits(c.b, c.a); got != c.want {
			t.Errorf("%q to %q takes %d, want %d", c.b, c.a, got, c.want)
		}
	}
}
