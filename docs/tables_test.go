package docs

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

// result is what a table quotes of a run.
type result struct {
	Seconds float64 `json:"seconds"`
	Cycles  struct {
		Total    float64 `json:"total"`
		PEBusy   float64 `json:"pe_busy"`
		DRAMBusy float64 `json:"dram_busy"`
	} `json:"cycles"`
	Energy struct {
		Total float64 `json:"total"`
	} `json:"energy_pj"`
	Analytic struct {
		Memory float64 `json:"memory_words"`
	} `json:"analytic"`
	Baseline struct {
		Memory    float64            `json:"memory_words"`
		Reduction map[string]float64 `json:"reduction_percent"`
	} `json:"baseline"`
}

// decode runs a command and decodes the JSON that it prints.
func (c clone) decode(t *testing.T, args string, into any) {
	t.Helper()
	out, err := c.run("accelsim " + args + " --format json 2>stderr")
	if err != nil {
		t.Fatalf("accelsim %s: %v\n%s", args, err, out)
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatal(err)
	}
}

// table returns the rows of the table whose header begins so, cells trimmed.
func table(t *testing.T, page, header string) (rows [][]string) {
	t.Helper()
	_, text, ok := strings.Cut(pages(t)[page], "\n"+header)
	if !ok {
		t.Fatalf("%s has no table %q", page, header)
	}
	for i, line := range strings.Split(text, "\n") {
		if i < 2 { // the rest of the header, and the rule
			continue
		}
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

// digits prints a number with so many digits that count, trailing zeros among them.
func digits(v float64, n int) string {
	before := 1 + int(math.Floor(math.Log10(v)))
	return strconv.FormatFloat(v, 'f', max(0, n-before), 64)
}

func percent(part, of float64) string { return fmt.Sprintf("%.0f %%", 100*part/of) }

func joules(picojoules float64) string { return fmt.Sprintf("%.0f J", picojoules*1e-12) }

// TestTableOfGroups holds hardware.md's table of PE groups to simulations.
func TestTableOfGroups(t *testing.T) {
	reader := newClone(t, build(t))
	run := map[string]string{
		"AlexNet (10,1)":  "--net alexnet --k 10 --n 1",
		"AlexNet (1,1)":   "--net alexnet --k 1 --n 1",
		"ResNet-18 (2,1)": "--net resnet18 --k 2 --n 1 --batch 128",
	}
	// point runs one point of a sweep, which can set keys of the hardware file.
	point := func(args string) (r struct {
		Points []map[string]any `json:"points"`
	},
	) {
		reader.decode(t, "sweep "+args, &r)
		return r
	}
	var network string
	var alone float64
	for _, row := range table(t, "hardware.md", "| | groups | time |") {
		if row[0] != "" {
			network = row[0]
		}
		groups, err := strconv.Atoi(strings.Split(row[1], ",")[0])
		if err != nil || run[network] == "" {
			t.Fatalf("row %q", row)
		}
		order := " --schedule pipelined"
		if groups == 1 {
			order = ""
		}
		p := point(fmt.Sprintf("%s%s --set pe.groups=%d", run[network], order, groups)).Points[0]
		number := func(key string) float64 { v, _ := p[key].(float64); return v }
		seconds := number("seconds")
		if groups == 1 {
			alone = seconds
		}
		want := []string{
			row[0], row[1], digits(seconds, 3) + " s", fmt.Sprintf("%.2f", alone/seconds),
			percent(number("cycles.pe_busy"), number("cycles.total")*float64(groups)),
			percent(number("cycles.dram_busy"), number("cycles.total")), joules(number("energy_pj.total")), "", "",
		}
		if row[7] != "" {
			p = point(fmt.Sprintf("%s --set pe.rows=%d --set pe.lanes=%d", run[network], 32*groups, 256*groups)).Points[0]
			want[7], want[8] = digits(number("seconds"), 3)+" s", joules(number("energy_pj.total"))
		}
		if got := strings.Join(row, " | "); got != strings.Join(want, " | ") {
			t.Errorf("hardware.md says\n%s\nsimulated\n%s", got, strings.Join(want, " | "))
		}
	}
}

// TestTableOfThePaper holds reproducing.md's table to the commands that stand in it.
func TestTableOfThePaper(t *testing.T) {
	reader := newClone(t, build(t))
	var r result
	for _, row := range table(t, "reproducing.md", "| paper (Guo et al. 2023) |") {
		if m := inline.FindStringSubmatch(row[1]); m != nil {
			r = result{}
			reader.decode(t, strings.TrimPrefix(m[1], "accelsim ")+" --timing off", &r)
		}
		of := r.Baseline.Reduction["macs"]
		switch {
		case strings.Contains(row[0], "memory access"):
			of = r.Baseline.Reduction["memory_access"]
		case strings.Contains(row[0], "GPU memory"):
			of = 100 * (1 - r.Analytic.Memory/r.Baseline.Memory)
		}
		if got := fmt.Sprintf("%.2f %%", of); row[2] != got {
			t.Errorf("%s: %s simulated, the page says %s", row[0], got, row[2])
		}
	}
}

// TestTableOfPresets holds clocks, time and energy of hardware.md's presets to
// simulations; it takes half a minute.
func TestTableOfPresets(t *testing.T) {
	if !*all {
		t.Skip("hardware.md: the table of presets (half a minute; make docs runs it)")
	}
	reader := newClone(t, build(t))
	for _, row := range table(t, "hardware.md", "| hardware | on chip | refetch | footprint |") {
		name := strings.Trim(row[0], "`")
		batch := ""
		if name == "edge-lpddr4" {
			batch = " --batch 58"
		}
		var r result
		reader.decode(t, "run --net alexnet --k 10 --n 1 --hw "+name+batch, &r)
		clocks := r.Cycles.Total * 1e-9
		scale := 3
		if clocks >= 100 {
			scale = 4
		}
		time := 3
		if r.Seconds >= 100 {
			time = 4
		}
		joule := digits(r.Energy.Total*1e-12, 3)
		if r.Energy.Total*1e-12 >= 1000 {
			joule = digits(r.Energy.Total*1e-12, 4)
		}
		want := []string{digits(clocks, scale) + " G", digits(r.Seconds, time) + " s", joule + " J"}
		if got := row[4:7]; strings.Join(got, " | ") != strings.Join(want, " | ") {
			t.Errorf("%s: hardware.md says %q, simulated %q", name, got, want)
		}
	}
}
