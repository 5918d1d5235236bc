package docs

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// counted is what the tables of rules.md count by hand.
type counted struct {
	Counts struct{ Forward, Backward map[string]int64 } `json:"counts"`
	Beyond struct {
		Words      map[string]int64 `json:"words"`
		Operations map[string]int64 `json:"operations"`
	} `json:"beyond"`
}

func (c *counted) of(t *testing.T, quantity string) int64 {
	t.Helper()
	what, unit, beyond := strings.Cut(quantity, ", ")
	switch {
	case beyond && unit == "words":
		return c.Beyond.Words[what]
	case beyond:
		return c.Beyond.Operations[what]
	}
	pass, of, _ := strings.Cut(quantity, " ")
	in := c.Counts.Forward
	if pass == "backward" {
		in = c.Counts.Backward
	}
	n, ok := in[map[string]string{"reads": "reads", "writes": "writes", "additions": "adds", "MACs": "macs"}[of]]
	if !ok {
		t.Fatalf("no count is called %q", quantity)
	}
	return n
}

// TestCountsByHand holds the machine's counts to those that rules.md derives by hand
// from the definitions.
func TestCountsByHand(t *testing.T) {
	reader := newClone(t, build(t))
	for _, b := range blocks(pages(t)["rules.md"]) {
		reader.write(t, b)
	}
	rows := 0
	for file, cut := range map[string]string{"traced.yaml": "--k 1 --n 1", "fed.yaml": "--k 2 --n 2", "again.yaml": "--k 2 --n 1"} {
		var r counted
		reader.decode(t, "run --net "+file+" "+cut, &r)
		for _, row := range table(t, "rules.md", "| quantity of "+file+" |") {
			byHand, err := strconv.ParseInt(row[2], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.of(t, row[0]); got != byHand {
				t.Errorf("%s: %s: %d simulated, %d by hand (%s)", file, row[0], got, byHand, row[1])
			}
			rows++
		}
	}
	if rows < 20 {
		t.Errorf("%d counts only", rows)
	}
}

// ruleFigure is the data of the figure of rules on some hardware, by network and rule.
func (c clone) ruleFigure(t *testing.T, hw string) (text []byte, rows map[[2]string]map[string]string) {
	t.Helper()
	if out, err := c.run("accelsim figures --out rules-" + hw + " --only rules --hw " + hw); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(c.folder, "rules-"+hw, "extra-rules.csv"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows = map[[2]string]map[string]string{}
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		rows[[2]string{row["net"], row["rule"]}] = row
	}
	return text, rows
}

// TestFigureOfRules holds the numbers beside the figure to simulations.
func TestFigureOfRules(t *testing.T) {
	text, _ := newClone(t, build(t)).ruleFigure(t, "paper")
	want, err := os.ReadFile("rules.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Error("rules.csv is not what figures --only rules writes")
	}
}

// TestTableOfRulesOnChips holds the table of two chips to simulations; it takes half a
// minute.
func TestTableOfRulesOnChips(t *testing.T) {
	if !*all {
		t.Skip("rules.md: rules on two chips (half a minute; make docs runs it)")
	}
	reader := newClone(t, build(t))
	figures := map[string]map[[2]string]map[string]string{}
	for _, hw := range []string{"zcu102", "asic-28nm"} {
		_, figures[hw] = reader.ruleFigure(t, hw)
	}
	for _, row := range table(t, "rules.md", "| rule | alexnet, zcu102: time |") {
		cell := 1
		for _, net := range []string{"alexnet", "shd-rnn"} {
			for _, hw := range []string{"zcu102", "asic-28nm"} {
				of := figures[hw][[2]string{net, row[0]}]
				for _, column := range []string{"saved_seconds_percent", "saved_joules_percent"} {
					saved, err := strconv.ParseFloat(of[column], 64)
					if err != nil {
						t.Fatal(err)
					}
					if want := fmt.Sprintf("%.1f %%", saved); row[cell] != want {
						t.Errorf("%s of %s by %s on %s: %s simulated, the page says %s", column, net, row[0], hw, want, row[cell])
					}
					cell++
				}
			}
		}
	}
}

// TestTableOfRules holds rules.md's table to the sweep that stands above it.
func TestTableOfRules(t *testing.T) {
	reader := newClone(t, build(t))
	var names []string
	rows := table(t, "rules.md", "| rule | (k, n) |")
	for _, row := range rows {
		names = append(names, row[0])
	}
	var sweep struct {
		Points []map[string]any `json:"points"`
	}
	reader.decode(t, "sweep --net alexnet --rule "+strings.Join(names, ","), &sweep)
	if !strings.Contains(pages(t)["rules.md"], "`accelsim sweep --net alexnet --rule "+strings.Join(names, ",")+"`") {
		t.Error("the command above the table has other rules")
	}
	for i, p := range sweep.Points {
		number := func(key string) float64 { v, _ := p[key].(float64); return v }
		scale := func(v, unit float64, name string) string { return digits(v/unit, 4) + " " + name }
		macs := scale(number("macs"), 1e9, "G")
		if number("macs") >= 1e12 {
			macs = scale(number("macs"), 1e12, "T")
		}
		want := []string{
			fmt.Sprint(p["rule"]), fmt.Sprintf("(%v, %v)", p["k"], p["n"]), scale(number("memory_access"), 1e9, "G"), macs,
			scale(number("cycles.total"), 1e9, "G"), scale(number("seconds"), 1, "s"), scale(number("energy_pj.total"), 1e12, "J"),
			scale(number("dram.footprint_bytes"), 1e9, "GB"),
			fmt.Sprintf("%.2f %%", number("baseline.reduction_percent.cycles")), fmt.Sprintf("%.2f %%", number("baseline.reduction_percent.energy")),
		}
		if got := strings.Join(rows[i], " | "); got != strings.Join(want, " | ") {
			t.Errorf("rules.md says\n%s\nsimulated\n%s", got, strings.Join(want, " | "))
		}
	}
	if len(sweep.Points) != len(rows) {
		t.Errorf("%d points for %d rules", len(sweep.Points), len(rows))
	}
}
