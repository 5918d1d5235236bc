package docs

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const accuracyPage = "rules-accuracy.md"

// measured is a row of a table of accuracies.
type measured struct {
	task, kn, rate string
	seeds          [3]float64
	rest           []string // mean, spread, and what follows
}

// measurements reads a table of which so many cells stand before the learning rate.
func measurements(t *testing.T, header string) (rows []measured) {
	t.Helper()
	for _, cells := range table(t, accuracyPage, header) {
		m := measured{task: "--net mnist.yaml --rule " + cells[0], kn: cells[1], rate: cells[2], rest: cells[6:]}
		if strings.HasPrefix(header, "| k, n |") {
			m.task, m.kn = "--net backward"+cells[1]+".yaml", cells[0]
			if strings.HasPrefix(cells[0], cells[1]+",") { // all steps of the interval
				m.task = "--net mnist.yaml"
			}
		}
		for i := range m.seeds {
			m.seeds[i] = number(t, cells[3+i])
		}
		rows = append(rows, m)
	}
	return rows
}

// number is what a cell shows.
func number(t *testing.T, cell string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSuffix(cell, " %"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shows tells whether a cell is a value to its last digit.
func shows(cell string, v float64) bool {
	_, digits, _ := strings.Cut(strings.TrimSuffix(cell, " %"), ".")
	return strings.TrimSuffix(cell, " %") == strconv.FormatFloat(v, 'f', len(digits), 64)
}

const (
	ruleTable  = "| rule | k, n | learning rate |"
	fixedTable = "| k, n | backward_steps | learning rate | seed 1 | seed 2 | seed 3 | mean | spread | words |"
	ownTable   = "| k, n | backward_steps | own learning rate |"
)

func TestMeansAndSpreadsOfAccuracies(t *testing.T) {
	for _, header := range []string{ruleTable, fixedTable, ownTable} {
		for _, m := range measurements(t, header) {
			s := m.seeds
			mean, spread := (s[0]+s[1]+s[2])/3, max(s[0], s[1], s[2])-min(s[0], s[1], s[2])
			if !shows(m.rest[0], mean) || !shows(m.rest[1], spread) {
				t.Errorf("%s %s: mean %s and spread %s of %v", m.task, m.kn, m.rest[0], m.rest[1], s)
			}
		}
	}
}

// settings are a row's flags.
func (m measured) settings() string {
	k, n, _ := strings.Cut(m.kn, ", ")
	return fmt.Sprintf("%s --k %s --n %s --batch 32", m.task, k, n)
}

// ruleFiles writes the page's files.
func (c clone) ruleFiles(t *testing.T) {
	t.Helper()
	for _, b := range blocks(pages(t)[accuracyPage]) {
		if name := b.file(); name != "" {
			if err := os.WriteFile(filepath.Join(c.folder, name), []byte(strings.Join(b.text, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, b := range blocks(pages(t)[accuracyPage]) {
		for _, command := range b.commands() {
			if strings.Contains(command.text, "sed ") {
				if out, err := c.run(command.text); err != nil {
					t.Fatalf("%s: %v\n%s", command.text, err, out)
				}
			}
		}
	}
}

// What an iteration saves, and Eq. 18 of that and of both tables' accuracies.
func TestShortBackwardPassesSaveWhatThePageSays(t *testing.T) {
	c := newClone(t, build(t))
	c.ruleFiles(t)
	bptt := number(t, measurements(t, fixedTable)[0].rest[0])
	costs := map[string]float64{} // Eq. 18's other terms, by a row's settings
	merit := func(m measured, shown string) {
		fom := (bptt-number(t, m.rest[0]))/bptt + costs[m.settings()]
		if math.Abs(number(t, shown)-fom) > 0.00051 {
			t.Errorf("%s: FoM is %v, not %s", m.settings(), fom, shown)
		}
	}
	for _, m := range measurements(t, fixedTable) {
		var r result
		c.decode(t, "run "+m.settings(), &r)
		cost := r.Analytic.Memory / r.Baseline.Memory / 4
		for j, key := range []string{"memory_access", "adds", "macs", "cycles"} {
			saved := r.Baseline.Reduction[key]
			if !shows(m.rest[2+j], saved) {
				t.Errorf("%s: %s saved is %s, the program says %.2f", m.settings(), key, m.rest[2+j], saved)
			}
			if key != "cycles" {
				cost += (1 - saved/100) / 4
			}
		}
		costs[m.settings()] = cost
		merit(m, m.rest[6])
	}
	for _, m := range measurements(t, ownTable) {
		merit(m, m.rest[2])
	}
}

// TestFiguresOfMeritByRule computes Eq. 18 from what run says of each rule, with
// the means of the first table, and holds page and sweep to it.
func TestFiguresOfMeritByRule(t *testing.T) {
	c := newClone(t, build(t))
	c.ruleFiles(t)
	means := map[string]measured{}
	for _, m := range measurements(t, ruleTable) {
		means[strings.TrimPrefix(m.task, "--net mnist.yaml --rule ")] = m
	}
	swept := map[string]float64{}
	out, err := c.run("accelsim sweep --grid rules.yaml --accuracy rules.csv --format csv 2>stderr")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rule, fom := slices.Index(records[0], "rule"), slices.Index(records[0], "fom")
	for _, r := range records[1:] {
		swept[r[rule]] = number(t, r[fom])
	}
	rows := table(t, accuracyPage, "| rule | k, n | words saved |")
	if len(rows) != len(means) || len(swept) != len(means) {
		t.Fatalf("%d rows and %d points of %d rules", len(rows), len(swept), len(means))
	}
	bptt := number(t, means["bptt"].rest[0])
	for _, row := range rows {
		m := means[row[0]]
		var r result
		c.decode(t, "run "+m.settings(), &r)
		merit := (bptt-number(t, m.rest[0]))/bptt + r.Analytic.Memory/r.Baseline.Memory/4
		for j, key := range []string{"memory_access", "adds", "macs", "cycles"} {
			saved := r.Baseline.Reduction[key]
			if !shows(row[2+j], saved) {
				t.Errorf("%s: %s saved is %s, the program says %.2f", row[0], key, row[2+j], saved)
			}
			if key != "cycles" {
				merit += (1 - saved/100) / 4
			}
		}
		if m.kn != row[1] || !shows(row[6], merit) || math.Abs(swept[row[0]]-merit) > 1e-9 {
			t.Errorf("%s at %s: FoM is %v, not %s; sweep says %v", row[0], row[1], merit, row[6], swept[row[0]])
		}
	}
}

// Accuracies are what the program reaches: all with -all, else the cheapest.
func TestAccuraciesAreWhatTrainingGives(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for a quarter of a minute")
	}
	c := newClone(t, build(t))
	c.needMNIST(t)
	c.ruleFiles(t)
	rows := measurements(t, ruleTable)
	if *all {
		rows = append(append(rows, measurements(t, fixedTable)...), measurements(t, ownTable)...)
	} else {
		rows = rows[1:2]
	}
	for _, m := range rows {
		for i, want := range m.seeds {
			if i > 0 && !*all {
				break
			}
			var r struct {
				Epochs []struct {
					Test float64 `json:"test_accuracy"`
				} `json:"epochs"`
			}
			out, err := c.run(fmt.Sprintf("accelsim train %s --learning-rate %s --seed %d --samples 5000 --epochs 3 --format json 2>stderr", m.settings(), m.rate, i+1))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatal(err)
			}
			if got := 100 * r.Epochs[2].Test; math.Abs(got-want) > 0.001 {
				t.Errorf("%s, seed %d: %.2f, the page says %.2f", m.settings(), i+1, got, want)
			}
		}
	}
}
