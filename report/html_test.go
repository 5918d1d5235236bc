package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

var (
	tagPattern    = regexp.MustCompile(`<(/?)([a-zA-Z0-9]+)([^>]*?)(/?)>`)
	numberPattern = regexp.MustCompile(` (x|y|width|height|cx|cy|x1|y1|x2|y2)="([^"]*)"`)
)

// checkPage fails when a page is not self-contained, is not well formed, or
// draws what is no number.
func checkPage(t *testing.T, text string) {
	t.Helper()
	for _, outside := range []string{"http:", "https:", "//", "src=", "href=", "url(", "@import", "<script", "<link", "<iframe"} {
		if strings.Contains(text, outside) {
			t.Errorf("the page has %q: it must need nothing else", outside)
		}
	}
	for _, wrong := range []string{"NaN", "Inf", "%!", "ZgotmplZ", "<nil>", "<no value>"} {
		if strings.Contains(text, wrong) {
			t.Errorf("the page says %q", wrong)
		}
	}
	void := map[string]bool{"meta": true}
	var open []string
	for _, tag := range tagPattern.FindAllStringSubmatch(text[strings.Index(text, "<html"):], -1) {
		switch {
		case tag[4] == "/" || void[tag[2]]:
		case tag[1] == "":
			open = append(open, tag[2])
		case len(open) == 0 || open[len(open)-1] != tag[2]:
			t.Fatalf("</%s> closes %v", tag[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("not closed: %v", open)
	}
	for _, n := range numberPattern.FindAllStringSubmatch(text, -1) {
		v, err := strconv.ParseFloat(n[2], 64)
		if err != nil || v < -1 || v > 1001 {
			t.Errorf("%s is outside the drawing", n[0])
		}
	}
}

func TestPageOfARunNeedsNothingElse(t *testing.T) {
	for _, c := range []struct {
		net         string
		k, n, batch int
	}{
		{"alexnet", 10, 1, 128},
		{"lenet1", 1, 2, 128},
		{"lenet1", 20, 4, 1},
		{"resnet18", 1, 1, 3},
	} {
		t.Run(fmt.Sprintf("%s-%d-%d", c.net, c.k, c.n), func(t *testing.T) {
			trace := &sim.Trace{Limit: 2000}
			_, r := evaluate(t, c.net, c.k, c.n, c.batch, sim.Options{Trace: trace})
			var page bytes.Buffer
			if err := report.WriteHTML(&page, r, trace); err != nil {
				t.Fatal(err)
			}
			text := page.String()
			checkPage(t, text)
			for _, title := range []string{
				"What was run", "Cross-check", "Against standard BPTT", "Where the time went", "Layer by layer",
				"Where the energy went", "Traffic", "Roofline", "Timeline", "Memory", "A whole training", "What would help",
			} {
				if !strings.Contains(text, title) {
					t.Errorf("no section %q", title)
				}
			}
			for _, row := range r.Crosscheck.Rows {
				if !strings.Contains(text, report.Integer(row.Simulated)) {
					t.Errorf("%s, %d, is not on the page", row.Quantity, row.Simulated)
				}
			}
		})
	}
}

// TestPageOfAPipelinedRunShowsEveryGroup in a table and in the timeline.
func TestPageOfAPipelinedRunShowsEveryGroup(t *testing.T) {
	trace := &sim.Trace{Limit: 2000}
	_, r := evaluate(t, "alexnet", 10, 1, 128, sim.Options{Trace: trace, Order: schedule.Pipelined})
	var page bytes.Buffer
	if err := report.WriteHTML(&page, r, trace); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	checkPage(t, text)
	for _, want := range []string{
		"8 PE groups, each with such an array and a layer buffer; local blocks 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8",
		"PEs wait for other groups", "BPTT is a single block", ">group 8<", "7, block 7",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestPageIsTheSameEveryTime(t *testing.T) {
	write := func() string {
		trace := &sim.Trace{Limit: 100}
		_, r := evaluate(t, "lenet1", 10, 1, 4, sim.Options{Trace: trace})
		var page bytes.Buffer
		if err := report.WriteHTML(&page, r, trace); err != nil {
			t.Fatal(err)
		}
		if err := report.WritePerfetto(&page, r, trace); err != nil {
			t.Fatal(err)
		}
		return page.String()
	}
	if first, second := write(), write(); first != second {
		t.Error("two runs give two pages")
	}
}

func TestNamesOnAPageAreEscaped(t *testing.T) {
	_, r := evaluate(t, "lenet1", 20, 4, 1, sim.Options{})
	r.Workload.Name, r.Workload.Text = "<b>bold</b>", `"><i>x</i>`
	var page bytes.Buffer
	if err := report.WriteHTML(&page, r, nil); err != nil {
		t.Fatal(err)
	}
	checkPage(t, page.String())
	if strings.Contains(page.String(), "<b>") || strings.Contains(page.String(), "<i>") {
		t.Error("a workload's name is markup")
	}
}

func TestComparison(t *testing.T) {
	_, bptt := evaluate(t, "lenet1", 20, 4, 8, sim.Options{})
	_, local := evaluate(t, "lenet1", 1, 2, 8, sim.Options{})
	_, untimed := evaluate(t, "lenet1", 2, 2, 8, sim.Options{Untimed: true})
	c := report.Comparison{}
	c.Add("bptt", bptt)
	local, _ = throughJSON(t, local)
	untimed, _ = throughJSON(t, untimed)
	c.Add("local", local)
	c.Add("untimed", untimed)
	data := c.Data()
	for _, q := range data.Quantities {
		if q.Values[0] == nil || q.Values[1] == nil {
			t.Fatalf("%s is missing", q.Quantity)
		}
		want, ok := local.Baseline.Reduction[q.Quantity]
		if got := *q.Reduction[1]; ok && got != want {
			t.Errorf("%s is %v %% less; beside its baseline the run says %v", q.Quantity, got, want)
		}
		if timed := q.Quantity == "cycles" || q.Quantity == "seconds" || q.Quantity == "energy"; timed != (q.Values[2] == nil) {
			t.Errorf("%s of an untimed run: %v", q.Quantity, q.Values[2])
		}
	}
	var text, page bytes.Buffer
	if err := c.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"bptt", "local", "untimed", "memory access", "%)"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if err := c.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	checkPage(t, page.String())
}

func TestReadRunSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"{\n\"schema\": x}":              "line 2",
		`{"schema": "accelsim.train/1"}`: "accelsim.run/1",
		`[]`:                             "a result of accelsim run",
		"":                               "a result of accelsim run",
		`{"schema": "accelsim.run/1", "seconds": "long"}`: "a result of accelsim run",
	} {
		if _, err := report.ReadRun([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}
